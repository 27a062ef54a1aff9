/** Runs inside the real-run harness, bundled for a browser: see test/real. */
import * as webllm from '@mlc-ai/web-llm';
import type { StepEngine } from '../../src/engine/step-engine';
import { loadWebLlmEngine, type WebLlmModule } from '../../src/engine/webllm';
import type { RealRun } from '../../test/real/entry';
import { GpuCounter, type GpuCounts } from './gpu-counter';

/** What one step asks of the GPU, or what `MLCEngine` asks of it for the same tokens, one request after another. */
export interface CountsRow extends Omit<GpuCounts, 'waits' | 'busyMs'> {
  engine: 'tempo' | 'webllm';
  /** `decode`: every row is one sequence's next token. `mixed`: a prompt's chunk among them. */
  mode: 'decode' | 'mixed';
  /** Tokens that are computed. */
  rows: number;
  /** Of these, the tokens of a prompt. */
  prompt: number;
  /** Waits for the GPU for each token that was drawn. */
  waitsPerToken: number;
  /** Time on the CPU for each dispatch, ms. */
  msPerDispatch: number;
}

/** Keys and values that attention reads in a decode step of sequences that share a beginning. */
export interface ForkRow {
  sequences: number;
  /** Tokens that all have in common. */
  shared: number;
  kvBytes: number;
  /** The same, were each sequence's keys and values its own. */
  aloneBytes: number;
}

export interface CountsBench {
  rows: CountsRow[];
  forks: ForkRow[];
  model: string;
  device: string;
}

interface Settings {
  /** Sequences of a decode step. */
  decodes: number[];
  /** Prompt tokens beside 7 decodes. */
  chunks: number[];
  forks: { sequences: number; shared: number }[];
  /** Ours instead of the library's. */
  ownKernels: boolean;
}

const GREEDY = { temperature: 0, topP: 1, seed: 1 } as const;
const PROMPT = 4;
const BESIDE = 7;
const WARM_UP = 6;

export default async function counts(run: RealRun): Promise<CountsBench> {
  const settings = JSON.parse(run.args[0]) as Settings;
  const counter = new GpuCounter();
  const { kv_cache: kv } = run.metadata;
  const bytes = run.metadata.quantization.endsWith('f16') ? 2 : 4;
  // 16 slots a page, keys and values.
  if (kv) counter.pageBytes = 2 * 16 * kv.num_key_value_heads * kv.head_dim * bytes;
  const appConfig = { model_list: [run.record] };
  const engine = await counter.loading(() =>
    loadWebLlmEngine({
      model: run.record.model_id,
      appConfig,
      webllm: webllm as unknown as WebLlmModule,
      maxSequences: Math.max(BESIDE + 1, ...settings.decodes),
      selfTest: 'never',
      ownKernels: settings.ownKernels ? 'untried' : 'never',
    }),
  );
  const rows: CountsRow[] = [];
  const sequences = new Sequences(engine);
  const row = (counted: GpuCounts, of: Pick<CountsRow, 'engine' | 'mode' | 'rows' | 'prompt'>) => {
    const { waits, busyMs, ...rest } = counted;
    const drawn = of.rows - of.prompt + (of.prompt > 0 ? 1 : 0);
    const made = {
      ...of,
      ...rest,
      waitsPerToken: waits / drawn,
      msPerDispatch: busyMs / Math.max(1, counted.dispatches),
    };
    rows.push(made);
    run.log(JSON.stringify(made));
  };

  for (const decodes of settings.decodes) {
    await sequences.begin(decodes);
    // Kernels are compiled at their first use, and what can be kept is kept after a few.
    for (let i = 0; i < WARM_UP; i++) await sequences.decode();
    const counted = await counter.during(() => sequences.decode());
    row(counted, { engine: 'tempo', mode: 'decode', rows: decodes, prompt: 0 });
  }
  for (const chunk of settings.chunks) {
    for (const isFirst of [true, false]) {
      await sequences.begin(BESIDE);
      const counted = await counter.during(() => sequences.decode(chunk));
      if (isFirst) continue;
      row(counted, { engine: 'tempo', mode: 'mixed', rows: BESIDE + chunk, prompt: chunk });
    }
  }
  const forks: ForkRow[] = [];
  for (const fork of settings.forks) {
    await sequences.beginForked(fork);
    const { kvBytes } = await counter.during(() => sequences.decode());
    const { kvBytes: aloneBytes } = await counter.during(() => sequences.decode(0, 1));
    const made = { ...fork, kvBytes, aloneBytes: fork.sequences * aloneBytes };
    forks.push(made);
    run.log(JSON.stringify(made));
  }
  const { device } = engine.status;
  await engine.dispose();

  const mlc = new webllm.MLCEngine({ appConfig, logLevel: 'WARN' });
  await counter.loading(() => mlc.reload(run.record.model_id));
  const generate = async (prompt: number, tokens: number) => {
    await mlc.resetChat();
    return mlc.completions.create({
      prompt: ' a'.repeat(prompt),
      max_tokens: tokens,
      temperature: 0,
      ignore_eos: true,
    });
  };
  await generate(PROMPT, 2);
  const short = await counter.during(() => generate(PROMPT, 2));
  const long = await counter.during(() => generate(PROMPT, 4));
  const decode = combined(long, short, (a, b) => (a - b) / 2);
  for (const decodes of settings.decodes) {
    const all = combined(decode, decode, (a) => a * decodes);
    row(all, { engine: 'webllm', mode: 'decode', rows: decodes, prompt: 0 });
  }
  for (const chunk of settings.chunks) {
    await generate(chunk, 1);
    const prefill = await counter.during(() => generate(chunk, 1));
    const all = combined(prefill, decode, (a, b) => a + BESIDE * b);
    row(all, { engine: 'webllm', mode: 'mixed', rows: BESIDE + chunk, prompt: chunk });
  }
  await mlc.unload();
  return { rows, forks, model: run.record.model_id, device };
}

function combined(
  a: GpuCounts,
  b: GpuCounts,
  combine: (a: number, b: number) => number,
): GpuCounts {
  const entries = Object.entries(a).map(([key, value]) => [
    key,
    combine(value, b[key as keyof GpuCounts]),
  ]);
  return Object.fromEntries(entries) as GpuCounts;
}

/** Sequences on a raw engine; none shares its beginning with another unless it is forked. */
class Sequences {
  readonly #engine: StepEngine;
  #ids: string[] = [];
  #count = 0;

  constructor(engine: StepEngine) {
    this.#engine = engine;
  }

  /** So many sequences with their prompts computed. */
  async begin(count: number): Promise<void> {
    this.#clear();
    for (let i = 0; i < count; i++) this.#add(this.#prompt(PROMPT));
    await this.#step(this.#ids.map((sequenceId) => ({ sequenceId, tokens: PROMPT })));
  }

  /** So many sequences, of which all but the first are forks of it. */
  async beginForked({ sequences, shared }: { sequences: number; shared: number }): Promise<void> {
    this.#clear();
    const prompt = this.#prompt(shared);
    for (let i = 0; i < sequences; i++) {
      const tokens = [...prompt, ...this.#prompt(PROMPT)];
      const id = this.#add(tokens);
      const left = tokens.length - this.#cached;
      const { maxPrefillTokens } = this.#engine.capacity;
      for (let done = 0; done < left; done += maxPrefillTokens) {
        await this.#step([{ sequenceId: id, tokens: Math.min(maxPrefillTokens, left - done) }]);
      }
    }
  }

  /** One step: the next token of each, or of the first `most`, and so many tokens of a new prompt. */
  async decode(prompt = 0, most = this.#ids.length): Promise<void> {
    const work = this.#ids.slice(0, most).map((sequenceId) => ({ sequenceId, tokens: 1 }));
    if (prompt > 0) work.push({ sequenceId: this.#add(this.#prompt(prompt)), tokens: prompt });
    await this.#step(work);
  }

  async #step(work: { sequenceId: string; tokens: number }[]): Promise<void> {
    await this.#engine.step({ work });
  }

  #cached = 0;

  #add(tokens: number[]): string {
    const id = `${this.#count++}`;
    this.#ids.push(id);
    const spec = { id, tokens: Int32Array.from(tokens), promptTokens: tokens.length };
    this.#cached = this.#engine.add({ ...spec, sampling: GREEDY }).cachedTokens;
    return id;
  }

  #prompt(length: number): number[] {
    const first = 1000 + 7 * this.#count;
    return Array.from({ length }, (_, i) => first + 13 * i);
  }

  #clear(): void {
    for (const id of this.#ids) this.#engine.remove(id);
    this.#ids = [];
  }
}
