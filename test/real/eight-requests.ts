import {
  type ChatCompletion,
  type ChatCompletionParams,
  createTempo,
  type Slo,
  type Snapshot,
  TempoError,
} from '../../src/client';
import { loadWebLlmEngine } from '../../src/engine/webllm';
import { TempoServer } from '../../src/server';
import type { RealRun } from './entry';

const MINUTE = 60_000;

/** Objectives as a slow software device can just about have them; whether they are met is reported only. */
const LATENCY: Slo = { class: 'latency', ttft: MINUTE, tbt: 5_000 };
const DEADLINE: Slo = { class: 'deadline', ttlt: 5 * MINUTE };

/** Leaves a random model no way to write anything else, and no white space to fill. */
const VERDICT = {
  type: 'json_schema',
  json_schema: { name: 'verdict', schema: { enum: ['yes', 'no'] } },
} as const;

/**
 * The whole of Tempo, from client to GPU, on a real model: eight requests of all classes at once, streamed
 * and not, one of them seeded, one held to a grammar, one a program of two calls, one aborted half way.
 * Then each again, alone. Throws unless each ends as it should with the text that it has alone, the texts
 * differ, the streams began while others decoded, they shared steps, and every page came back.
 */
export default async function eightRequests(run: RealRun): Promise<unknown> {
  const tokens = run.host === 'node' ? 5 : 4; // fewer, and two random texts are the same
  const server = new TempoServer({
    engines: {
      webllm: {
        check: async () => {},
        load: (_, options) =>
          loadWebLlmEngine({
            model: run.record.model_id,
            appConfig: { model_list: [run.record] },
            maxSequences: 8,
            kvBudgetBytes: 64 * 2 ** 20,
            ...options,
          }),
      },
    },
  });
  const start = performance.now();
  const tempo = createTempo({ engine: 'webllm', model: run.record.model_id, host: server });
  await tempo.ready;
  run.log(`Loaded in ${seconds(start)}: ${JSON.stringify(tempo.state)}`);
  const watched = watchSteps(run, tempo.watch.bind(tempo));

  const ask = (question: string, more: Omit<Partial<ChatCompletionParams>, 'stream'> = {}) => ({
    messages: [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: question },
    ],
    max_tokens: tokens,
    temperature: 0,
    ...more,
  });
  const chat = tempo.app('chat', { slo: LATENCY }).chat.completions;
  const agent = tempo.app('agent', { slo: DEADLINE }).chat.completions;
  const background = tempo.app('background').chat.completions;

  const streamsBegan: number[] = [];
  const streamed = async (question: string): Promise<ChatCompletion['choices'][number]> => {
    let content = '';
    for await (const { choices } of await chat.create({ ...ask(question), stream: true })) {
      if (content === '' && choices[0]?.delta.content) streamsBegan.push(performance.now());
      content += choices[0]?.delta.content ?? '';
      const finish_reason = choices[0]?.finish_reason;
      if (!finish_reason) continue;
      return { index: 0, message: { role: 'assistant', content }, logprobs: null, finish_reason };
    }
    throw new Error('A stream ended without a reason.');
  };
  const whole = async (answer: Promise<ChatCompletion>) => {
    const { choices } = await answer;
    if (choices[0] === undefined) throw new Error('An answer without a choice.');
    return choices[0];
  };
  const program = async () => {
    const calls = tempo.program({ app: 'agent', deadline: 10 * MINUTE });
    const first = await whole(calls.chat.completions.create(ask('Plan.')));
    const second = await whole(
      calls.chat.completions.create(ask(`Go on: ${first.message.content}`)),
    );
    const report = await calls.end();
    if (report.calls !== 2) throw new Error(`The program had ${report.calls} calls, not 2.`);
    return second;
  };
  const abortedHalfWay = async () => {
    const controller = new AbortController();
    const stream = await background.create(
      { ...ask('Never mind.', { max_tokens: 500 }), stream: true },
      { signal: controller.signal },
    );
    try {
      for await (const { choices } of stream) {
        if (choices[0]?.delta.content) controller.abort();
      }
    } catch (error) {
      if (error instanceof TempoError && error.code === 'aborted') return undefined;
      throw error;
    }
    throw new Error('An aborted stream ended as if nothing had been.');
  };

  const began = performance.now();
  const seeded = ask('Dream.', { temperature: 0.8, top_p: 0.9, seed: 7 });
  const requests = {
    'chat 1, streamed': () => streamed('Say hello.'),
    'chat 2, streamed': () => streamed('What is a tempo?'),
    'agent, held to a grammar': () =>
      whole(agent.create(ask('Is it so?', { response_format: VERDICT, max_tokens: 10 }))),
    'a program of two calls': program,
    'background 1': () => whole(background.create(ask('Sum up the news.'))),
    'background 2': () => whole(background.create(ask('Sum up the weather.'))),
    'background 3, seeded': () => whole(background.create(seeded)),
    'background 4, aborted': abortedHalfWay,
  };
  const ends: number[] = [];
  const answers = await Promise.all(
    Object.entries(requests).map(async ([name, request]) => {
      const choice = await request();
      ends.push(performance.now());
      run.log(`${seconds(began)}: ${name}: ${describe(choice)}`);
      return [name, choice] as const;
    }),
  );
  const tookTogether = seconds(began);
  for (const first of streamsBegan) {
    const others = ends.filter((end) => end > first).length - 1;
    if (others < 4) throw new Error(`A stream began when only ${others} others still ran.`);
  }

  const results = new Map(answers);
  for (const [name, choice] of results) {
    if (name.endsWith('aborted')) continue;
    if (!choice?.message.content) throw new Error(`${name} has no text.`);
    const expected = name.includes('grammar') ? 'stop' : 'length';
    if (choice.finish_reason !== expected && choice.finish_reason !== 'stop') {
      throw new Error(`${name} ended by ${choice.finish_reason}, not by ${expected}.`);
    }
  }
  const verdict = results.get('agent, held to a grammar')?.message.content ?? '';
  if (!/^"(yes|no)"$/.test(verdict)) throw new Error(`The grammar let through ${verdict}.`);

  const texts = answers.flatMap(([, choice]) => choice?.message.content ?? []);
  if (new Set(texts).size < texts.length) throw new Error('Two requests have the same text.');

  // Alone, and at another time, each request gets the text it got in company; but where kernels compute in
  // 16 bits, the rounding of those that serve one sequence alone may tip a choice.
  const different: string[] = [];
  for (const [name, request] of Object.entries(requests)) {
    if (name.endsWith('aborted')) continue;
    const alone = (await request())?.message.content;
    const same = alone === results.get(name)?.message.content;
    run.log(`${seconds(began)}: ${name}, alone: ${same ? 'the same' : JSON.stringify(alone)}`);
    if (!same) different.push(name);
  }
  if (different.length > 0 && run.record.required_features.length === 0) {
    throw new Error(`Another text alone than in company: ${different.join('; ')}.`);
  }

  const { widest, steps } = watched();
  if (widest < 4) throw new Error(`No step held more than ${widest} requests.`);
  const { kv } = await new Promise<Snapshot>((resolve) => tempo.watch(resolve));
  if (kv.freePages !== kv.totalPages) throw new Error(`Pages are missing: ${JSON.stringify(kv)}.`);
  await tempo.dispose();
  return { steps, widest, kv, different, tookTogether, took: seconds(began) };
}

/** Counts steps, and the most requests that one of them held. */
function watchSteps(
  run: RealRun,
  watch: (listener: (snapshot: Snapshot) => void) => () => void,
): () => { steps: number; widest: number } {
  let steps = 0;
  let widest = 0;
  const stop = watch((snapshot) => {
    for (const step of snapshot.steps) {
      steps++;
      widest = Math.max(widest, step.work.length);
      const work = step.work.map(({ kind, tokens }) => (kind === 'decode' ? 'd' : `p${tokens}`));
      run.log(
        `step ${step.number}: ${work.join(' ')}: ${Math.round(step.endMs - step.startMs)} ms`,
      );
    }
  });
  return () => {
    stop();
    return { steps, widest };
  };
}

function describe(choice: ChatCompletion['choices'][number] | undefined): string {
  return choice === undefined
    ? 'aborted'
    : `${JSON.stringify(choice.message.content)} (${choice.finish_reason})`;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
