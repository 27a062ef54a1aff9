import * as webllm from '@mlc-ai/web-llm';
import type { StepEngine } from '../../src/engine/step-engine';
import { CONVERSATIONS, type Conversation } from '../../src/engine/testing/conversations';
import { encodePrompt } from '../../src/engine/text';
import type { Turn } from '../../src/engine/text/messages';
import { loadWebLlmEngine, type WebLlmModule } from '../../src/engine/webllm';
import { listenToFeed, type MlcPipeline, readTextParts } from '../../src/engine/webllm/internals';
import { loadedModel } from '../../src/engine/webllm/loaded-model';
import type { RealRun } from './entry';

/** Greedy, and nothing that a model's configuration may add to it. */
const PLAIN = {
  temperature: 0,
  frequency_penalty: 0,
  presence_penalty: 0,
  repetition_penalty: 1,
} as const;

/** Output tokens compared. */
const TOKENS = 4;

/** Prompts up to this long, tokens, are computed, unless an argument says otherwise. */
const LONGEST = 200;

/** What is fed to switch thinking off. */
const NO_THOUGHT = '<think>\n\n</think>\n\n';

/** Conversations served in one batch. */
const BATCH = 4;

/**
 * Rounding in 16 bits, where kernels for one sequence and for several differ, moves a logit by so much
 * at most: nearer than that the likeliest token is anybody's.
 */
const F16_NOISE = 0.3;

/** A conversation, what was fed for it, and what MLCEngine answered. */
interface Fed {
  conversation: Conversation;
  tokens: Int32Array;
  /** Tokens of what was fed that MLCEngine repeats at the head of the answer, and counts as drawn. */
  echo: number;
  text?: string;
}

/**
 * Against `MLCEngine` on the same model: the token ids fed for a table of conversations, and, unless
 * the argument `ids` is given, greedy texts of those of at most so many tokens (a number among the
 * arguments); with the argument `serial`, of the serial engine. Any other argument is a part of the
 * names of the conversations whose texts are compared.
 */
export default async function parity(run: RealRun): Promise<unknown> {
  const model = run.record.model_id;
  const appConfig = { model_list: [run.record] };
  const longest = Number(run.args.find((arg) => /^\d+$/.test(arg)) ?? LONGEST);
  const names = run.args.filter((arg) => !/^(ids|serial|\d+)$/.test(arg));
  const engine = new webllm.MLCEngine({ appConfig, logLevel: 'WARN' });
  // Room for the longest conversation, of which nothing is computed.
  await engine.reload(model, { context_window_size: 4096 });
  const fed = await feeds(engine, model, run.log);
  const compared = run.args.includes('ids')
    ? []
    : fed.filter(({ tokens, conversation: { name } }) => {
        const named = names.length === 0 || names.some((part) => name.includes(part));
        return named && tokens.length <= longest;
      });
  for (const one of compared) {
    one.text = await webllmText(engine, one);
    run.log(`MLCEngine: ${one.conversation.name}: ${JSON.stringify(one.text)}`);
  }
  await engine.unload();
  const texts = compared.length === 0 ? undefined : await compareTexts(run, compared);
  return { conversations: fed.length, texts };
}

/** Compares what is fed for each conversation; nothing is computed. */
async function feeds(
  engine: webllm.MLCEngine,
  model: string,
  log: (line: string) => void,
): Promise<Fed[]> {
  const parts = readTextParts(engine, model);
  if (typeof parts === 'string') throw new Error(parts);
  parts.config.conv_template.roles.tool ??= 'tool';
  const { tokenizer, template } = loadedModel(model, parts);
  let fed: number[] = [];
  const stop = listenToFeed(engine, model, (tokens) => fed.push(...tokens), true);
  const all: Fed[] = [];
  for (const conversation of CONVERSATIONS) {
    const { name, turns, options } = conversation;
    fed = [];
    await ask(engine, conversation, 1);
    const ours = encodePrompt(tokenizer, template, turns, options).tokens;
    const echo = options?.thinking === false ? tokenizer.encode(NO_THOUGHT).length : 0;
    all.push({ conversation, tokens: ours, echo });
    if (ours.join() !== fed.join()) {
      throw new Error(`${name}: ${ours.length} tokens are not the ${fed.length} of MLCEngine.`);
    }
    log(`equal: ${name} (${fed.length} tokens)`);
  }
  stop();
  return all;
}

function asMessage({ role, content }: Turn): webllm.ChatCompletionMessageParam {
  return role === 'tool' ? { role, content, tool_call_id: '0' } : { role, content };
}

async function ask(
  engine: webllm.MLCEngine,
  { turns, options }: Conversation,
  max_tokens: number,
): Promise<webllm.ChatCompletion> {
  await engine.resetChat();
  return engine.chat.completions.create({
    ...PLAIN,
    messages: turns.map(asMessage),
    max_tokens,
    extra_body: options?.thinking === undefined ? {} : { enable_thinking: options.thinking },
  });
}

async function webllmText(engine: webllm.MLCEngine, { conversation, echo }: Fed): Promise<string> {
  const reply = await ask(engine, conversation, echo + TOKENS);
  const text = reply.choices[0].message.content ?? '';
  return echo > 0 ? text.slice(NO_THOUGHT.length) : text;
}

/** WebLLM with libraries that, it seems, cannot batch: for the serial engine. */
class Unbatched extends webllm.MLCEngine {
  override async reload(...args: Parameters<webllm.MLCEngine['reload']>): Promise<void> {
    await super.reload(...args);
    const pipelines = Reflect.get(this, 'loadedModelIdToPipeline') as Map<string, MlcPipeline>;
    for (const { vm } of pipelines.values()) {
      const find = vm.getFunction;
      vm.getFunction = (name) => {
        if (name === 'batch_prefill') throw new Error('Left out.');
        return find.call(vm, name);
      };
    }
  }
}

/**
 * Our texts beside MLCEngine's: each request alone, as MLCEngine serves them, and some in one batch.
 * Throws where they differ, unless by what rounding in 16 bits does to a near tie.
 */
async function compareTexts(run: RealRun, compared: readonly Fed[]): Promise<unknown> {
  const serial = run.args.includes('serial');
  const engine = await loadWebLlmEngine({
    model: run.record.model_id,
    appConfig: { model_list: [run.record] },
    webllm: { ...webllm, ...(serial ? { MLCEngine: Unbatched } : {}) } as unknown as WebLlmModule,
    maxSequences: BATCH,
    keepPrefixes: 0,
    kvBudgetBytes: 64 * 2 ** 20,
  });
  run.log(`${engine.status.mode}: ${engine.status.notes.join(' ')}`);
  const f16 = run.record.required_features.includes('shader-f16');
  const nearTies: string[] = [];
  const check = (how: string, { conversation, text = '' }: Fed, ours: Answer) => {
    const line = `${how}: ${conversation.name}: ${JSON.stringify(ours.text)}`;
    if (ours.text === text) return run.log(`equal, ${line}`);
    const lead = ours.leadWhereNot(text);
    if (!f16 || lead > F16_NOISE) throw new Error(`${line} is not ${JSON.stringify(text)}.`);
    nearTies.push(`${line}, not ${JSON.stringify(text)}, by ${lead.toFixed(3)}`);
    run.log(`near tie, ${nearTies.at(-1)}`);
  };
  for (const one of compared) {
    const [answer] = await serve(engine, [one]);
    check('alone', one, answer);
  }
  const batch = serial
    ? []
    : [...compared].sort((a, b) => a.tokens.length - b.tokens.length).slice(0, BATCH);
  if (batch.length > 0) {
    const answers = await serve(engine, batch);
    for (const [i, answer] of answers.entries()) check('in a batch', batch[i], answer);
  }
  await engine.dispose();
  return { alone: compared.length, inABatch: batch.length, nearTies };
}

interface Answer {
  text: string;
  /** By how much the first token that is not `other`'s led the next likeliest, logits. */
  leadWhereNot(other: string): number;
}

/** Serves requests together, greedily. */
async function serve(engine: StepEngine, wanted: readonly Fed[]): Promise<Answer[]> {
  const { tokenizer, template } = engine.model;
  const answers = wanted.map((): number[] => []);
  const leads = wanted.map((): number[] => []);
  let work = wanted.map(({ tokens }, i) => {
    const sampling = { temperature: 0, topP: 1, seed: 0, topLogprobs: 2 };
    const id = String(i);
    const { cachedTokens } = engine.add({ id, tokens, promptTokens: tokens.length, sampling });
    return { sequenceId: id, tokens: tokens.length - cachedTokens };
  });
  for (let i = 0; i < TOKENS; i++) {
    const { sampled } = await engine.step({ work });
    for (const [id, { token, topLogprobs }] of sampled) {
      answers[Number(id)].push(token);
      const [first, second] = topLogprobs ?? [];
      if (first === undefined || second === undefined) throw new Error('No log probabilities.');
      leads[Number(id)].push(first.logprob - second.logprob);
    }
    work = work.map((member) => ({ ...member, tokens: 1 }));
  }
  for (const { sequenceId } of work) engine.remove(sequenceId);
  return answers.map((ids, i) => {
    const end = ids.findIndex((id) => template.stop_token_ids?.includes(id));
    const textOf = (count: number) => tokenizer.decode(ids.slice(0, count));
    return {
      text: textOf(end < 0 ? ids.length : end),
      leadWhereNot: (other) => {
        const at = ids.findIndex((_, k) => !other.startsWith(textOf(k + 1)));
        return leads[i][at] ?? Number.POSITIVE_INFINITY;
      },
    };
  });
}
