/** Runs inside the real-run harness, bundled for a browser: see test/real. */
import * as webllm from '@mlc-ai/web-llm';
import type { StepEngine } from '../src/engine/step-engine';
import { loadWebLlmEngine, type WebLlmModule } from '../src/engine/webllm';
import type { StepTimes } from '../src/engine/webllm/webllm-engine';
import type { RealRun } from '../test/real/entry';

export interface WebLlmBenchRow {
  /** Requests at once. */
  concurrency: number;
  /** Output tokens a second, all requests together, prefill included. */
  tokensPerSecond: number;
  /** The same requests, served by `MLCEngine` one after another. */
  webllmTokensPerSecond: number;
  /** tokensPerSecond over webllmTokensPerSecond. */
  ratio: number;
  /** From request to first token while the others (concurrency - 1) decode, ms. */
  ttftMs: number;
}

export interface WebLlmBench {
  rows: WebLlmBenchRow[];
  device: string;
  model: string;
  /** A request's prompt and output, tokens. */
  promptTokens: number;
  tokens: number;
  /** Where our steps' time went, ms. */
  times: StepTimes | undefined;
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

/** Greedy, and nothing that a model's configuration may add to it. */
const PLAIN = {
  temperature: 0,
  frequency_penalty: 0,
  presence_penalty: 0,
  repetition_penalty: 1,
  ignore_eos: true,
} as const;

export default async function bench(run: RealRun): Promise<WebLlmBench> {
  const settings = JSON.parse(run.args[0] ?? '{"concurrency":[1,2,4,8]}') as Settings;
  const most = Math.max(...settings.concurrency);
  const engine = await loadWebLlmEngine({
    model: run.record.model_id,
    appConfig: { model_list: [run.record] },
    webllm: webllm as unknown as WebLlmModule,
    maxSequences: most,
    keepPrefixes: 0, // every request is computed from its first token
  });
  run.log(engine.status.notes.join(' '));
  const software = engine.status.notes.some((note) => note.includes('software device'));
  const tokens = settings.tokens ?? (software ? 6 : 64);
  const words = settings.prompt ?? (software ? 12 : 64);
  // Plain completions: no chat template around them, so that they are as long as is asked for.
  const { tokenizer } = engine.model;
  const texts = Array.from({ length: most }, (_, i) =>
    textOf(i, words, (t) => tokenizer.encode(t)),
  );
  const prompts = texts.map((text) => tokenizer.encode(text));

  // Kernels are compiled at their first use: not in our figures, nor in MLCEngine's.
  await together(engine, prompts.slice(0, 1), 2);
  const ours: { tokensPerSecond: number; ttftMs: number }[] = [];
  for (const concurrency of settings.concurrency) {
    if (!software && concurrency > 1) await together(engine, prompts.slice(0, concurrency), 2);
    const ms = await together(engine, prompts.slice(0, concurrency), tokens);
    const ttftMs = await firstToken(engine, prompts.slice(0, concurrency));
    ours.push({ tokensPerSecond: (1000 * concurrency * tokens) / ms, ttftMs });
    run.log(
      `${concurrency} at once: ${Math.round(ms)} ms, first token in ${Math.round(ttftMs)} ms`,
    );
  }
  const times = 'times' in engine ? (engine.times as StepTimes) : undefined;
  await engine.dispose();

  const mlc = new webllm.MLCEngine({
    appConfig: { model_list: [run.record] },
    logLevel: 'WARN',
  });
  await mlc.reload(run.record.model_id);
  const one = async (prompt: string, max_tokens: number) => {
    await mlc.resetChat();
    await mlc.completions.create({ ...PLAIN, prompt, max_tokens });
  };
  await one(texts[0], 2);
  const theirs: number[] = [];
  for (const concurrency of settings.concurrency) {
    const start = performance.now();
    for (const text of texts.slice(0, concurrency)) await one(text, tokens);
    const ms = performance.now() - start;
    theirs.push((1000 * concurrency * tokens) / ms);
    run.log(`MLCEngine, ${concurrency} in turn: ${Math.round(ms)} ms`);
  }
  await mlc.unload();

  return {
    rows: settings.concurrency.map((concurrency, i) => ({
      concurrency,
      tokensPerSecond: ours[i].tokensPerSecond,
      webllmTokensPerSecond: theirs[i],
      ratio: ours[i].tokensPerSecond / theirs[i],
      ttftMs: ours[i].ttftMs,
    })),
    device: engine.status.device,
    model: run.record.model_id,
    promptTokens: prompts[0].length,
    tokens,
    times,
    notes: software ? [SOFTWARE] : [],
  };
}

/** A prompt of at least `tokens` tokens; no two begin alike. */
function textOf(i: number, tokens: number, encode: (text: string) => Int32Array): string {
  let text = `${i}`;
  while (encode(text).length < tokens) text += ' tempo';
  return text;
}

/** Serves all prompts at once; `tokens` each. Returns how long it took, ms. */
async function together(
  engine: StepEngine,
  prompts: readonly Int32Array[],
  tokens: number,
): Promise<number> {
  const start = performance.now();
  const pending = new Map(prompts.map((prompt, i) => [String(i), add(engine, String(i), prompt)]));
  const made = new Map<string, number>();
  while (pending.size > 0) {
    let budget = engine.capacity.maxPrefillTokens;
    const work = [...pending].map(([sequenceId, left]) => {
      const share = left === 1 ? 1 : Math.min(left, budget);
      if (left > 1) budget -= share;
      return { sequenceId, tokens: share };
    });
    const { sampled } = await engine.step({ work: work.filter((member) => member.tokens > 0) });
    for (const { sequenceId: id, tokens: computed } of work) {
      pending.set(id, sampled.has(id) ? 1 : (pending.get(id) ?? 0) - computed);
      if (!sampled.has(id)) continue;
      made.set(id, (made.get(id) ?? 0) + 1);
      if (made.get(id) !== tokens) continue;
      engine.remove(id);
      pending.delete(id);
    }
  }
  return performance.now() - start;
}

/** From a request's arrival to its first token while all the others decode, ms. */
async function firstToken(engine: StepEngine, prompts: readonly Int32Array[]): Promise<number> {
  const [last, ...others] = [...prompts].reverse();
  const ids = others.map((_, i) => `o${i}`);
  if (others.length > 0) {
    const work = others.map((prompt, i) => ({
      sequenceId: ids[i],
      tokens: add(engine, ids[i], prompt),
    }));
    await engine.step({ work });
  }
  const start = performance.now();
  let left = add(engine, 'new', last);
  while (left > 0) {
    const chunk = Math.min(left, 256, engine.capacity.maxPrefillTokens);
    await engine.step({
      work: [
        ...ids.map((sequenceId) => ({ sequenceId, tokens: 1 })),
        { sequenceId: 'new', tokens: chunk },
      ],
    });
    left -= chunk;
  }
  const ms = performance.now() - start;
  for (const id of [...ids, 'new']) engine.remove(id);
  return ms;
}

function add(engine: StepEngine, id: string, tokens: Int32Array): number {
  const sampling = { temperature: 0, topP: 1, seed: 0, ignoreEos: true };
  return (
    tokens.length - engine.add({ id, tokens, promptTokens: tokens.length, sampling }).cachedTokens
  );
}
