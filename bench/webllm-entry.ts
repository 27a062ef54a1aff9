/** Runs inside the real-run harness, bundled for a browser: see test/real. */
import * as webllm from '@mlc-ai/web-llm';
import { type ChatCompletionParams, createTempo, type Tempo } from '../src/client';
import type { StepEngine } from '../src/engine/step-engine';
import { loadWebLlmEngine, type WebLlmModule } from '../src/engine/webllm';
import { WebLlmEngine } from '../src/engine/webllm/webllm-engine';
import { TempoServer } from '../src/server';
import type { RealRun } from '../test/real/entry';
import { type StepParts, StepWatch } from './webllm-steps';

export interface WebLlmBenchRow {
  /** Requests at once. */
  concurrency: number;
  /** Output tokens a second, all requests together, prefill included, through the whole server. */
  tokensPerSecond: number;
  /** The same requests, served by `MLCEngine` one after another. */
  webllmTokensPerSecond: number;
  /** tokensPerSecond over webllmTokensPerSecond. */
  ratio: number;
  /** From request to first token while the others (concurrency - 1) decode, ms. */
  ttftMs: number;
  /** Where a decode step's time goes; undefined on an engine that serves one at a time. */
  step: StepParts | undefined;
  /** The same with every answer held to a grammar. On a software device, of the least and the most at once. */
  grammarStep: StepParts | undefined;
}

export interface WebLlmBench {
  rows: WebLlmBenchRow[];
  device: string;
  model: string;
  /** A request's prompt and output, tokens. */
  promptTokens: number;
  tokens: number;
  notes: string[];
}

interface Settings {
  concurrency: number[];
  tokens?: number;
  prompt?: number;
}

const SOFTWARE =
  'This is a software device: the CPU does the arithmetic of every sequence of a batch one after ' +
  'another, so batching has hardly anything to win here. On a GPU a decode waits for the weights to ' +
  'be read from memory, which a batch does once.';

/** A row's requests are served so often, all together, at least; each row's figure is the median's. */
const ROUNDS = 5;

/** Greedy, and nothing that a model's configuration may add to it. */
const PLAIN = {
  temperature: 0,
  frequency_penalty: 0,
  presence_penalty: 0,
  repetition_penalty: 1,
  ignore_eos: true,
} as const;

/**
 * What the others write while a newcomer waits for its first token: more than they come to, and not so
 * much that the pages for it keep one of them waiting.
 */
const BESIDE_TOKENS = 100;

/** Who comes to others that have no objective. */
const NEWCOMER = { class: 'latency', ttft: 1000, tbt: 100 } as const;

/** A string in JSON, which does not end as long as a bench runs. */
const GRAMMAR = {
  type: 'grammar',
  grammar: 'root ::= "{\\"answer\\": \\"" [^"\\\\\\x00-\\x1f]+ "\\"}"',
} as const;

export default async function bench(run: RealRun): Promise<WebLlmBench> {
  const settings = JSON.parse(run.args[0] ?? '{"concurrency":[1,2,4,8]}') as Settings;
  const { concurrency } = settings;
  const most = Math.max(...concurrency);
  const model = run.record.model_id;
  const appConfig = { model_list: [run.record] };
  const engine = await loadWebLlmEngine({
    model,
    appConfig,
    webllm: webllm as unknown as WebLlmModule,
    maxSequences: most,
    keepPrefixes: 0, // every request is computed from its first token
  });
  run.log(engine.status.notes.join(' '));
  const software = engine.status.notes.some((note) => note.includes('software device'));
  const tokens = settings.tokens ?? (software ? 6 : 64);
  const words = settings.prompt ?? (software ? 12 : 64);
  const { tokenizer } = engine.model;
  const requests = Array.from({ length: most }, (_, i) =>
    requestOf(i, words, (text) => tokenizer.encode(text)),
  );

  const watch = engine instanceof WebLlmEngine ? new StepWatch(engine) : undefined;
  const tempo = await served(engine);
  const ask = (request: BenchRequest, more: Partial<ChatCompletionParams>) =>
    chat(tempo).create({ ...request, ...PLAIN, max_tokens: tokens, ...more, stream: false });
  const together = (count: number, more: Partial<ChatCompletionParams> = {}) =>
    timed(() => Promise.all(requests.slice(0, count).map((request) => ask(request, more))));

  const mlc = new webllm.MLCEngine({ appConfig, logLevel: 'WARN' });
  await mlc.reload(model);
  const alone = async (request: BenchRequest, max_tokens: number) => {
    await mlc.resetChat();
    await mlc.chat.completions.create({ ...request, ...PLAIN, max_tokens });
  };
  const inTurn = (count: number) =>
    timed(async () => {
      for (const request of requests.slice(0, count)) await alone(request, tokens);
    });

  // Kernels are compiled at their first use: not in our figures, nor in MLCEngine's.
  const [{ usage }] = (await together(1, { max_tokens: 2 })).value;
  await alone(requests[0], 2);
  const rows: WebLlmBenchRow[] = [];
  for (const count of concurrency) {
    if (!software && count > 1) await together(count, { max_tokens: 2 });
    // By turns, so that both have the same machine; one request alone is over too soon to be timed once.
    const rounds = Math.max(1, Math.ceil(ROUNDS / count));
    const ours: number[] = [];
    const theirs: number[] = [];
    const serve = async () => void ours.push((await together(count)).ms);
    let step: StepParts | undefined;
    for (let round = 0; round < rounds; round++) {
      if (round > 0 || watch === undefined) await serve();
      else step = await watch.during(serve);
      theirs.push((await inTurn(count)).ms);
    }
    const ttftMs = await firstToken(tempo, requests.slice(0, count));
    const list = (times: readonly number[]) => times.map(Math.round).join(', ');
    run.log(`${count} at once: ${list(ours)} ms; MLCEngine, one after another: ${list(theirs)} ms`);
    const held = !software || count === most || count === Math.min(...concurrency);
    const grammarStep = held
      ? await watch?.during(() => together(count, { response_format: GRAMMAR }))
      : undefined;
    const perSecond = (ms: number) => (1000 * count * tokens) / ms;
    const tokensPerSecond = perSecond(median(ours));
    const webllmTokensPerSecond = perSecond(median(theirs));
    const ratio = tokensPerSecond / webllmTokensPerSecond;
    rows.push({
      concurrency: count,
      tokensPerSecond,
      webllmTokensPerSecond,
      ratio,
      ttftMs,
      step,
      grammarStep,
    });
  }
  await tempo.dispose();
  await mlc.unload();

  return {
    rows,
    device: engine.status.device,
    model,
    promptTokens: usage?.prompt_tokens ?? 0,
    tokens,
    notes: software ? [SOFTWARE] : [],
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

interface BenchRequest {
  messages: { role: 'system' | 'user'; content: string }[];
}

/** A request of at least `tokens` prompt tokens; no two begin alike, so that nothing is shared. */
function requestOf(i: number, tokens: number, encode: (text: string) => Int32Array): BenchRequest {
  let content = 'tempo';
  while (encode(content).length < tokens) content += ' tempo';
  return {
    messages: [
      { role: 'system', content: `${i}.` },
      { role: 'user', content },
    ],
  };
}

/** A whole server on the engine, and its client. */
async function served(engine: StepEngine): Promise<Tempo> {
  const server = new TempoServer({
    engines: { webllm: { check: async () => {}, load: async () => engine } },
  });
  const tempo = createTempo({ engine: 'webllm', model: engine.model.id, host: server });
  await tempo.ready;
  return tempo;
}

function chat(tempo: Tempo) {
  return tempo.app('bench').chat.completions;
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const start = performance.now();
  const value = await work();
  return { value, ms: performance.now() - start };
}

/** From a request's arrival to its first token while all the others decode, ms. */
async function firstToken(tempo: Tempo, requests: readonly BenchRequest[]): Promise<number> {
  const [last, ...others] = [...requests].reverse();
  const end = new AbortController();
  const begun = others.map(async (request) => {
    const params = { ...request, ...PLAIN, max_tokens: BESIDE_TOKENS, stream: true } as const;
    const stream = await chat(tempo).create(params, { signal: end.signal });
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    return chunks;
  });
  const decoding = await Promise.all(begun);
  const { ms } = await timed(async () => {
    const params = { ...last, ...PLAIN, max_tokens: 2, stream: true, slo: NEWCOMER } as const;
    const stream = await chat(tempo).create(params);
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    void drained(chunks);
  });
  end.abort();
  await Promise.all(decoding.map(drained));
  return ms;
}

async function drained(chunks: AsyncIterator<unknown>): Promise<void> {
  try {
    while (!(await chunks.next()).done);
  } catch {
    // Aborted, as it was to be.
  }
}
