import { watchGpu } from '../../src/engine/webllm/gpu-watch';
import { BatchCache, loadEngine } from './batch-cache';
import type { RealRun } from './entry';
import { RandomBits } from './random';

/** Logits of two runs that differ by more than this are taken for different computations. */
const TOLERANCE_F32 = 1e-3;
const TOLERANCE_F16 = 0.5;

/**
 * Proves the harness: WebLLM generates, and sequences that share forwards in a KV cache of ours get the
 * logits they get alone. With the argument `unfixed`, shows what the unfixed kernel does instead.
 */
export default async function smoke(run: RealRun): Promise<void> {
  const unfixed = run.args.includes('unfixed');
  const watch = watchGpu(navigator.gpu, { fixKernels: !unfixed });
  const engine = await timed(run, 'load', () => loadEngine(run));
  watch.stop();
  run.log(`Kernels fixed: ${watch.fixedKernels}.`);
  const reply = await timed(run, 'generate 4 tokens with MLCEngine', () =>
    engine.chat.completions.create({
      messages: [
        { role: 'system', content: 'Hi.' },
        { role: 'user', content: 'Hello.' },
      ],
      max_tokens: 4,
      temperature: 0,
    }),
  );
  run.log(`It said ${JSON.stringify(reply.choices[0]?.message.content)}.`);

  const cache = new BatchCache(engine, run, 10, 1024, 256);
  const prompts = new Prompts(run);
  const a = prompts.draw(24);
  const b = prompts.draw(22);
  const c = prompts.draw(19);
  const tailA = prompts.draw(3);

  const alone = async (prompt: readonly number[], decoded: readonly number[] = []) => {
    cache.add(9);
    const rows = await cache.forward([{ id: 9, tokens: prompt }]);
    for (const token of decoded) rows.push(...(await cache.forward([{ id: 9, tokens: [token] }])));
    cache.remove(9);
    return rows;
  };
  const aloneA = await timed(run, 'a alone, with 3 decodes', () => alone(a, tailA));
  const aloneB = await timed(run, 'b alone, with 1 decode', () => alone(b, [7]));
  const aloneC = await timed(run, 'c alone', () => alone(c));

  const table: { check: string; difference: number; ms: number }[] = [];
  const check = async (
    name: string,
    expected: readonly (Float32Array | undefined)[],
    compute: () => Promise<Float32Array[]>,
  ) => {
    const start = performance.now();
    const actual = await compute();
    const difference = Math.max(...actual.map((row, i) => largestDifference(row, expected[i])));
    table.push({ check: name, difference, ms: Math.round(performance.now() - start) });
    run.log(`${name}: ${difference.toExponential(1)}`);
  };

  cache.add(0);
  cache.add(1);
  await check('two prompts prefilled in one forward', [aloneA[0], aloneB[0]], () =>
    cache.forward([
      { id: 0, tokens: a },
      { id: 1, tokens: b },
    ]),
  );
  await check('batched decode, 2 sequences', [aloneA[1], aloneB[1]], () =>
    cache.forward([
      { id: 0, tokens: tailA.slice(0, 1) },
      { id: 1, tokens: [7] },
    ]),
  );
  cache.remove(1);

  const eight = Array.from({ length: 8 }, () => prompts.draw(3));
  const eightAlone: (Float32Array | undefined)[] = [];
  for (const prompt of eight) eightAlone.push((await alone(prompt, [11]))[1]);
  cache.remove(0);
  for (const [id, tokens] of eight.entries()) {
    cache.add(id);
    await cache.forward([{ id, tokens }]);
  }
  await check('batched decode, 8 sequences', eightAlone, () =>
    cache.forward(eight.map((_, id) => ({ id, tokens: [11] }))),
  );
  for (const id of eight.keys()) cache.remove(id);

  for (const id of [0, 1, 2]) cache.add(id);
  await cache.forward([{ id: 0, tokens: a }]);
  await cache.forward([{ id: 1, tokens: b.slice(0, 10) }]);
  await check(
    'mixed forward: decode, rest of a chunked prompt, fresh prompt',
    [aloneA[1], aloneB[0], aloneC[0]],
    () =>
      cache.forward([
        { id: 0, tokens: tailA.slice(0, 1) },
        { id: 1, tokens: b.slice(10) },
        { id: 2, tokens: c },
      ]),
  );

  await check('pop 3 tokens, redo them', [aloneB[0]], () => {
    cache.pop(1, 3);
    return cache.forward([{ id: 1, tokens: b.slice(-3) }]);
  });

  for (const length of [16, 21]) {
    const where = length % 16 === 0 ? 'at a page boundary' : 'in the middle of a page';
    const forked = [...a.slice(0, length), ...c.slice(0, 5)];
    const [expected] = await alone(forked);
    await check(`fork ${where}, then a different tail`, [expected], () => {
      cache.fork(0, 3, length);
      return cache.forward([{ id: 3, tokens: c.slice(0, 5) }]);
    });
    cache.remove(3);
  }
  await check('the parent of both forks decodes on', [aloneA[2]], () =>
    cache.forward([{ id: 0, tokens: tailA.slice(1, 2) }]),
  );

  const spread = (aloneA[0] ?? new Float32Array(1)).reduce((a, b) => Math.max(a, b));
  run.log(
    `Logits go up to ${spread.toFixed(1)}; a and b differ by ${largestDifference(aloneA[0], aloneB[0]).toFixed(1)}.`,
  );
  run.log('| check | largest difference | ms |\n| --- | --- | --- |');
  for (const row of table) {
    run.log(`| ${row.check} | ${row.difference.toExponential(1)} | ${row.ms} |`);
  }
  const tolerance = run.record.required_features.length > 0 ? TOLERANCE_F16 : TOLERANCE_F32;
  const wrong = table.filter(({ difference }) => !(difference <= tolerance));
  if (wrong.length > 0 && !unfixed) throw new Error(`${wrong.length} checks are off.`);
  await engine.unload();
}

/** Draws prompts of ordinary tokens. */
class Prompts {
  readonly #bits: RandomBits;

  constructor(run: RealRun) {
    this.#bits = new RandomBits(run.record.model_id);
  }

  draw(length: number): number[] {
    return Array.from({ length }, () => 256 + (this.#bits.next() % 40_000));
  }
}

async function timed<T>(run: RealRun, what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  run.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/** Infinite where anything is missing or not a number. */
function largestDifference(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (a === undefined || b === undefined || a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
