/** Engines that break their contract: the request fails, or the load; nobody else notices. */
import { describe, expect, it, vi } from 'vitest';
import { loadSimulatedEngine } from '../engine/simulated';
import type { SampledToken, StepPlan, StepResult } from '../scheduler';
import { TempoServer } from './server';
import { codeOf, type FragileEngine, Harness } from './testing/harness';

/** What an engine makes of its results for the sequence `id`. */
type Change = (result: StepResult, id: string) => StepResult;

const withSample = (result: StepResult, id: string, sample: unknown): StepResult => {
  if (!result.sampled.has(id)) return result;
  return { ...result, sampled: new Map(result.sampled).set(id, sample as SampledToken) };
};
const withFailure = (result: StepResult, id: string, failure: unknown): StepResult => ({
  ...result,
  failed: new Map([[id, failure as never]]),
});

const CHANGES: [string, Change][] = [
  [
    'no sample for a planned row',
    (result, id) => {
      const sampled = new Map(result.sampled);
      sampled.delete(id);
      return { ...result, sampled };
    },
  ],
  ['a failure that is no TempoError', (result, id) => withFailure(result, id, new Error('boom'))],
  ['a failure that is a word', (result, id) => withFailure(result, id, 'boom')],
  ['a failure without a text', (result, id) => withFailure(result, id, Object.create(null))],
  ['a sample that is nothing', (result, id) => withSample(result, id, null)],
  ...[-1, 1e9, 0.5, Number.NaN, '7', undefined].map((token): [string, Change] => [
    `the token ${token}`,
    (result, id) => withSample(result, id, { token }),
  ]),
];

function change(device: FragileEngine, how: (result: StepResult, plan: StepPlan) => StepResult) {
  const step = device.step.bind(device);
  device.step = async (plan) => how(await step(plan), plan);
}

const TEXT = 'Nothing of this is anybody else’s affair, and so it goes on to its end.';

describe('an engine with', () => {
  it.each(CHANGES)('%s costs that request alone', async (_, how) => {
    const harness = await new Harness().loaded();
    const other = harness.ask({ simulate: { content: TEXT } });
    const { answer, id } = harness.submit({ max_tokens: 20, ignore_eos: true });
    let steps = 0;
    change(harness.device, (result) => (++steps < 4 ? result : how(result, id)));
    expect(codeOf(await answer)).toBe('engine_failed');
    expect((await other).texts).toEqual([TEXT]);
    expect((await harness.snapshot()).live).toEqual({ resident: 0, waiting: 0 });
    expect(harness.device.usedPages).toBe(0);
  });

  it.each([
    [10_000, 'more'],
    [-1, 'less than none'],
    [Number.NaN, 'no number'],
    [1.5, 'half a token'],
  ])('%d tokens found computed (%s) costs that request alone', async (cachedTokens) => {
    const harness = await new Harness().loaded();
    const add = harness.device.add.bind(harness.device);
    let strange = '';
    harness.device.add = (spec) => {
      const found = add(spec);
      return spec.id === strange ? { cachedTokens } : found;
    };
    const other = harness.ask({ simulate: { content: TEXT } });
    const { answer, id } = harness.submit({ max_tokens: 20 });
    strange = id;
    expect(codeOf(await answer)).toBe('engine_failed');
    expect((await other).texts).toEqual([TEXT]);
    expect(harness.device.usedPages).toBe(0);
    expect(harness.device.sequences.size).toBe(0);
  });

  it.each([Number.NaN, -5, Number.POSITIVE_INFINITY])(
    'steps of %d ms serves and counts on',
    async (durationMs) => {
      const harness = await new Harness().loaded();
      change(harness.device, (result) => ({ ...result, durationMs }));
      expect((await harness.ask({ simulate: { content: TEXT } })).texts).toEqual([TEXT]);
      expect(Number.isFinite((await harness.snapshot()).metrics.busyMs)).toBe(true);
      expect((await harness.ask({ simulate: { content: TEXT } })).texts).toEqual([TEXT]);
    },
  );

  it('sequences that it cannot let go of is lost, and the next serves', async () => {
    const harness = await new Harness().loaded();
    const first = harness.device;
    first.remove = () => {
      throw new TypeError('no such slot');
    };
    expect((await harness.ask({ simulate: { content: TEXT } })).texts).toEqual([TEXT]);
    expect((await harness.ask({ simulate: { content: TEXT } })).texts).toEqual([TEXT]);
    expect(harness.devices).toHaveLength(2);
    expect(first.disposed).toBe(true);
  });

  it('a copy to memory that fails computes the sequence again', async () => {
    const harness = await new Harness({
      capabilities: { swap: true },
      profile: { totalPages: 12, maxSequences: 4 },
    }).loaded({ policy: 'sarathi' });
    let copies = 0;
    harness.device.swapOut = async () => {
      copies++;
      throw new RangeError('no memory');
    };
    const all = [1, 2, 3].map((seed) => harness.ask({ seed, max_tokens: 60, ignore_eos: true }));
    expect((await Promise.all(all)).map(codeOf)).toEqual(['done', 'done', 'done']);
    expect(copies).toBeGreaterThan(0);
    expect(harness.device.usedPages).toBe(0);
  });

  it('a disposal that throws is recovered from all the same', async () => {
    const harness = await new Harness().loaded();
    harness.device.dispose = () => {
      throw new TypeError('nothing to dispose of');
    };
    harness.device.lose();
    expect((await harness.ask({ simulate: { content: TEXT } })).texts).toEqual([TEXT]);
  });

  it('an account of pages that throws fails requests, and takes no time', async () => {
    const harness = await new Harness().loaded();
    let reads = 0;
    Object.defineProperty(harness.device, 'kv', {
      get: () => {
        reads++;
        throw new TypeError('no cache');
      },
    });
    for (let i = 0; i < 3; i++) expect(codeOf(await harness.ask({}))).toBe('engine_failed');
    reads = 0;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(reads).toBeLessThan(20);
  });

  it('steps that always fail fails each request, once', async () => {
    const harness = await new Harness().loaded();
    harness.device.step = () => {
      throw new TypeError('no kernel');
    };
    const all = [1, 2, 3].map(() => harness.submit({}));
    const answers = await Promise.all(all.map(({ answer }) => answer));
    expect(answers.map(codeOf)).toEqual(Array(3).fill('engine_failed'));
    expect(all.map(({ id }) => harness.ends(id))).toEqual([1, 1, 1]);
  });

  it('a promise of loss that breaks is lost', async () => {
    const lost = Promise.reject(new TypeError('torn'));
    lost.catch(() => {});
    let loads = 0;
    const server = new TempoServer({
      engines: {
        simulated: {
          check: async () => {},
          async load() {
            const engine = await loadSimulatedEngine();
            return loads++ === 0 ? Object.assign(engine, { lost }) : engine;
          },
        },
      },
    });
    const phases: string[] = [];
    await server.listenState(({ phase }) => void phases.push(phase));
    await server.load({ engine: 'simulated', model: 'laptop-gpu', policy: 'tempo' });
    await vi.waitFor(() => expect(phases).toContain('recovering'));
    await vi.waitFor(() => expect(phases.at(-1)).toBe('ready'));
    expect(loads).toBe(2);
    await server.dispose();
  });

  it.each([
    { costs: { baseMs: Number.NaN, perDecodeMs: 0, perContextTokenMs: 0, perPrefillTokenMs: 0 } },
    { costs: { baseMs: 1, perDecodeMs: -1, perContextTokenMs: 0, perPrefillTokenMs: 0 } },
    { capacity: { pageSize: 0, totalPages: 10 } },
    { capacity: { maxBatch: Number.POSITIVE_INFINITY } },
    { model: undefined },
  ])('numbers that nothing can be planned with fails its load: %j', async (fields) => {
    let disposed = 0;
    let loads = 0;
    const server = new TempoServer({
      engines: {
        simulated: {
          check: async () => {},
          async load() {
            const engine = await loadSimulatedEngine();
            if (loads++ > 0) return engine;
            const dispose = async () => void disposed++;
            return Object.defineProperties(
              engine,
              Object.fromEntries(
                Object.entries({ ...fields, dispose }).map(([name, value]) => [name, { value }]),
              ),
            );
          },
        },
      },
    });
    const states: string[] = [];
    await server.listenState(({ phase }) => void states.push(phase));
    const load = () => server.load({ engine: 'simulated', model: 'laptop-gpu', policy: 'tempo' });
    expect(await load()).toMatchObject({ ok: false, error: { code: 'engine_failed' } });
    expect(states.at(-1)).toBe('failed');
    expect(disposed).toBe(1);
    expect((await load()).ok).toBe(true);
    await server.dispose();
  });
});
