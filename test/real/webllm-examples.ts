import * as webllm from '@mlc-ai/web-llm';
import { TempoServer } from '../../src/server';
import * as dropIn from '../../src/webllm-api';
import type { RealRun } from './entry';

type Interface = webllm.MLCEngineInterface;

/** The part of both that WebLLM's examples use. */
interface Engine
  extends Pick<
    Interface,
    'getMessage' | 'interruptGenerate' | 'resetChat' | 'runtimeStatsText' | 'unload'
  > {
  chat: { completions: Pick<Interface['chat']['completions'], 'create'> };
  completions: Pick<Interface['completions'], 'create'>;
}

/** Few and greedy: each token takes a while on a CPU, and both are to draw the same. */
const BRIEF = { temperature: 0, max_tokens: 4 } as const;
/** Nothing that a model's configuration may add. */
const PLAIN = { frequency_penalty: 0, presence_penalty: 0, repetition_penalty: 1 } as const;

/** What each example comes to; both engines are to give the same. */
const EXAMPLES: Record<string, (engine: Engine) => Promise<unknown>> = {
  async 'get-started'(engine) {
    const { choices, object } = await engine.chat.completions.create({
      ...{ ...BRIEF, ...PLAIN },
      messages: [{ role: 'user', content: 'List three US states.' }],
    });
    const [{ finish_reason, message }] = choices;
    const { role, content } = message;
    return { object, finish_reason, role, content };
  },

  async streaming(engine) {
    const chunks = await engine.chat.completions.create({
      ...{ ...BRIEF, ...PLAIN },
      messages: [{ role: 'user', content: 'Write an analogy.' }],
      stream: true,
      stream_options: { include_usage: true },
      logprobs: true,
      top_logprobs: 2,
    });
    let text = '';
    let hasUsage = false;
    const told: number[] = [];
    for await (const { choices, usage } of chunks) {
      text += choices[0]?.delta.content ?? '';
      for (const { top_logprobs: top } of choices[0]?.logprobs?.content ?? [])
        told.push(top.length);
      hasUsage ||= usage !== undefined && usage !== null;
    }
    return { text, isMessage: text === (await engine.getMessage()), hasUsage, told };
  },

  async 'multi-round-chat'(engine) {
    const messages: webllm.ChatCompletionMessageParam[] = [
      { role: 'system', content: 'You are helpful.' },
      { role: 'user', content: 'Name a state.' },
    ];
    const said: (string | null)[] = [];
    // What random weights say is tokenized otherwise than it was drawn, so the answer between is another.
    for (const answer of ['Ohio.', undefined]) {
      const { choices } = await engine.chat.completions.create({ ...BRIEF, ...PLAIN, messages });
      said.push(choices[0].message.content);
      if (answer === undefined) break;
      messages.push({ role: 'assistant', content: answer });
      messages.push({ role: 'user', content: 'Two more.' });
    }
    await engine.resetChat();
    return { said, after: await engine.getMessage() };
  },

  async 'seed-to-reproduce'(engine) {
    const ask = async () => {
      const { choices } = await engine.chat.completions.create({
        ...PLAIN,
        messages: [{ role: 'user', content: 'A poem.' }],
        temperature: 1,
        max_tokens: 3,
        seed: 42,
      });
      return choices[0].message.content;
    };
    const first = await ask();
    return first === (await ask());
  },

  async 'text-completion'(engine) {
    const { choices, object } = await engine.completions.create({
      ...{ ...BRIEF, ...PLAIN },
      prompt: 'List three US states:',
      echo: false,
    });
    const [{ text, index, finish_reason, logprobs }] = choices;
    return { object, text, index, finish_reason, logprobs };
  },

  async 'logit-processor, by a bias'(engine) {
    const { choices } = await engine.chat.completions.create({
      ...PLAIN,
      messages: [{ role: 'user', content: 'Hello' }],
      temperature: 0,
      max_tokens: 2,
      logit_bias: { '42': 100 },
    });
    return choices[0].message.content;
  },

  async 'json-mode'(engine) {
    const { choices } = await engine.chat.completions.create({
      ...{ ...BRIEF, ...PLAIN },
      messages: [{ role: 'user', content: 'A cat, as JSON' }],
      response_format: { type: 'json_object' },
    });
    return /^\s*[[{]/.test(choices[0].message.content ?? '');
  },

  async 'the statistics'(engine) {
    return /^prefill: [\d.]+ tokens\/sec, decod(e|ing): [\d.]+ tokens\/sec/.test(
      await engine.runtimeStatsText(),
    );
  },

  // Late: WebLLM 0.2.79 ends every later call that is not streamed at once, with no text.
  async 'simple-chat, interrupted'(engine) {
    const chunks = await engine.chat.completions.create({
      ...PLAIN,
      messages: [{ role: 'user', content: 'Go on and on.' }],
      temperature: 0,
      max_tokens: 60,
      ignore_eos: true,
      stream: true,
    });
    let end: string | null = null;
    let isInterrupted = false;
    for await (const { choices } of chunks) {
      if (!isInterrupted) engine.interruptGenerate();
      isInterrupted = true;
      end = choices[0]?.finish_reason ?? end;
    }
    const after = await engine.chat.completions.create({
      ...{ ...BRIEF, ...PLAIN, max_tokens: 1, stream: true },
      messages: [{ role: 'user', content: 'And now?' }],
    });
    let text = '';
    for await (const { choices } of after) text += choices[0]?.delta.content ?? '';
    return { end, text };
  },

  async 'after unload'(engine) {
    await engine.unload();
    const asking = engine.chat.completions.create({ messages: [{ role: 'user', content: 'Hi' }] });
    return asking.then(String, (thrown: unknown) => thrown instanceof Error && thrown.name);
  },
};

/** WebLLM's documented examples, rewritten, on `MLCEngine` and on `tempo-llm/webllm`: both give the same. */
export default async function webllmExamples(run: RealRun): Promise<unknown> {
  const model = run.record.model_id;
  const appConfig = { model_list: [run.record] };
  const theirs = await results(run, 'WebLLM', (report) =>
    webllm.CreateMLCEngine(model, { appConfig, logLevel: 'WARN', initProgressCallback: report }),
  );
  const ours = await results(run, 'tempo-llm/webllm', async (report) =>
    dropIn.CreateMLCEngine(model, {
      ...{ appConfig, logLevel: 'WARN', initProgressCallback: report },
      tempo: { host: new TempoServer() },
    }),
  );
  const unlike = Object.keys(EXAMPLES).filter(
    (name) => JSON.stringify(theirs[name]) !== JSON.stringify(ours[name]),
  );
  if (unlike.length > 0) throw new Error(`Not the same: ${unlike.join('; ')}.`);
  return { examples: Object.keys(EXAMPLES).length, same: true };
}

async function results(
  { log }: RealRun,
  name: string,
  create: (report: webllm.InitProgressCallback) => Promise<Engine>,
): Promise<Record<string, unknown>> {
  let progress = 0;
  const engine = await create((report) => {
    progress = report.progress;
  });
  const all: Record<string, unknown> = { progress };
  for (const [example, code] of Object.entries(EXAMPLES)) {
    all[example] = await code(engine);
    log(`${name}: ${example}: ${JSON.stringify(all[example])}`);
  }
  return all;
}
