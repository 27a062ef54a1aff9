import * as webllm from '@mlc-ai/web-llm';
import { promptTokens } from '../../src/engine/text';
import { CONVERSATIONS } from '../../src/engine/text/conversations.test-data';
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

const TEXTS = ['Say hello.', 'What is a tempo?'];
const TOKENS = 4;

/**
 * Against `MLCEngine` on the same model: the token ids fed for a table of conversations, and, unless
 * the argument `ids` is given, greedy texts; with the argument `serial`, of the serial engine.
 */
export default async function parity(run: RealRun): Promise<unknown> {
  const model = run.record.model_id;
  const appConfig = { model_list: [run.record] };
  const engine = new webllm.MLCEngine({ appConfig, logLevel: 'WARN' });
  // Room for the longest conversation, of which nothing is computed.
  await engine.reload(model, { context_window_size: 4096 });
  const conversations = await feeds(engine, model, run.log);
  const texts = run.args.includes('ids') ? [] : await webllmTexts(engine);
  await engine.unload();
  if (texts.length > 0) {
    const { alone, together } = await ourTexts(run);
    for (const [i, text] of alone.entries()) {
      if (text !== texts[i]) throw new Error(`"${text}" is not MLCEngine's "${texts[i]}".`);
      // In a batch other kernels round otherwise; with 16-bit floats near ties may fall the other way.
      const batched = together[i] === text ? 'in a batch too' : `in a batch "${together[i]}"`;
      run.log(`equal: ${JSON.stringify(text)}, ${batched}`);
    }
  }
  return { conversations, texts };
}

/** Compares what is fed for each conversation; nothing is computed. */
async function feeds(
  engine: webllm.MLCEngine,
  model: string,
  log: (line: string) => void,
): Promise<number> {
  const parts = readTextParts(engine, model);
  if (typeof parts === 'string') throw new Error(parts);
  parts.config.conv_template.roles.tool ??= 'tool';
  const { tokenizer, template } = loadedModel(model, parts);
  let fed: number[] = [];
  const stop = listenToFeed(engine, model, (tokens) => fed.push(...tokens), true);
  for (const { name, turns, options } of CONVERSATIONS) {
    fed = [];
    await engine.resetChat();
    await engine.chat.completions.create({
      ...PLAIN,
      messages: turns.map(asMessage),
      max_tokens: 1,
      extra_body: options?.thinking === undefined ? {} : { enable_thinking: options.thinking },
    });
    const ours = Array.from(promptTokens(tokenizer, template, turns, options));
    if (ours.join() !== fed.join()) {
      throw new Error(`${name}: ${ours.length} tokens are not the ${fed.length} of MLCEngine.`);
    }
    log(`equal: ${name} (${fed.length} tokens)`);
  }
  stop();
  return CONVERSATIONS.length;
}

function asMessage({ role, content, name }: Turn): webllm.ChatCompletionMessageParam {
  if (role === 'tool') return { role, content, tool_call_id: '0' };
  return name === undefined ? { role, content } : ({ role, content, name } as never);
}

async function webllmTexts(engine: webllm.MLCEngine): Promise<string[]> {
  const texts: string[] = [];
  for (const content of TEXTS) {
    await engine.resetChat();
    const messages = [{ role: 'user' as const, content }];
    const reply = await engine.chat.completions.create({ ...PLAIN, messages, max_tokens: TOKENS });
    texts.push(reply.choices[0].message.content ?? '');
  }
  return texts;
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

/** Our texts: each request alone, as MLCEngine serves them, and all of them in one batch. */
async function ourTexts(run: RealRun): Promise<{ alone: string[]; together: string[] }> {
  const serial = run.args.includes('serial');
  const engine = await loadWebLlmEngine({
    model: run.record.model_id,
    appConfig: { model_list: [run.record] },
    webllm: { ...webllm, ...(serial ? { MLCEngine: Unbatched } : {}) } as unknown as WebLlmModule,
    maxSequences: TEXTS.length,
    keepPrefixes: 0,
    kvBudgetBytes: 64 * 2 ** 20,
  });
  const { tokenizer, template } = engine.model;
  const prompts = TEXTS.map((content) =>
    promptTokens(tokenizer, template, [{ role: 'user', content }]),
  );
  const serve = async (wanted: readonly Int32Array[]): Promise<string[]> => {
    const answers = wanted.map((): number[] => []);
    let work = wanted.map((tokens, i) => {
      const sampling = { temperature: 0, topP: 1, seed: 0 };
      const id = String(i);
      const { cachedTokens } = engine.add({ id, tokens, promptTokens: tokens.length, sampling });
      return { sequenceId: id, tokens: tokens.length - cachedTokens };
    });
    for (let i = 0; i < TOKENS; i++) {
      const { sampled } = await engine.step({ work });
      for (const [id, { token }] of sampled) answers[Number(id)].push(token);
      work = work.map((member) => ({ ...member, tokens: 1 }));
    }
    for (const { sequenceId } of work) engine.remove(sequenceId);
    return answers.map((ids) => tokenizer.decode(ids));
  };
  const alone: string[] = [];
  for (const prompt of prompts) alone.push(...(await serve([prompt])));
  run.log(`${engine.status.mode}: ${engine.status.notes.join(' ')}`);
  const together = serial ? alone : await serve(prompts);
  await engine.dispose();
  return { alone, together };
}
