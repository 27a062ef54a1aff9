import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SamplingParams } from '../../scheduler';
import { MachineMatcher } from '../sampling/grammar/matcher';
import { Grammars } from '../sampling/grammars';
import type { StepEngine } from '../step-engine';
import { STAND_IN_MODEL, StandIn } from '../testing/stand-in';
import { loadWebLlmEngine } from './load';

const GRAMMAR = { type: 'ebnf', grammar: 'root ::= [a-z]*' } as const;
const TOKENS = 8;

afterEach(() => void vi.restoreAllMocks());

async function loaded(world: StandIn): Promise<StepEngine> {
  return loadWebLlmEngine({
    model: STAND_IN_MODEL,
    webllm: world.webllm,
    gpu: world.gpu,
    maxSequences: 8,
    kvBudgetBytes: 1 << 16,
    selfTest: 'never',
  });
}

/** What `count` sequences draw together, and what those that failed failed of. */
async function draw(
  engine: StepEngine,
  samplings: readonly Partial<SamplingParams>[],
): Promise<{ texts: number[][]; failures: Map<number, Error> }> {
  const texts: number[][] = samplings.map(() => []);
  const failures = new Map<number, Error>();
  const pending = samplings.map((sampling, i) => {
    const tokens = [65 + i, 66, 67 + i];
    const full = { temperature: 1, topP: 1, seed: i, ignoreEos: true, ...sampling };
    return 3 - engine.add({ id: `${i}`, tokens, promptTokens: 3, sampling: full }).cachedTokens;
  });
  for (let step = 0; step < TOKENS; step++) {
    const live = samplings.flatMap((_, i) => (failures.has(i) ? [] : [i]));
    if (live.length === 0) break;
    const work = live.map((i) => ({ sequenceId: `${i}`, tokens: step === 0 ? pending[i] : 1 }));
    const { sampled, failed } = await engine.step({ work });
    for (const i of live) {
      const token = sampled.get(`${i}`)?.token;
      const error = failed?.get(`${i}`);
      expect(token === undefined).toBe(error !== undefined);
      if (token !== undefined) texts[i].push(token);
      if (error === undefined) continue;
      failures.set(i, error);
      engine.remove(`${i}`);
    }
  }
  for (const i of samplings.keys()) engine.remove(`${i}`);
  return { texts, failures };
}

/** Lets a method of every matcher fail at its `at`-th call, from 0; one that is constrained makes them. */
function breakMatcher(method: 'nextBitmask' | 'accept', at: number): void {
  let calls = 0;
  const original = MachineMatcher.prototype[method];
  vi.spyOn(MachineMatcher.prototype, method).mockImplementation(function (
    this: MachineMatcher,
    ...args: unknown[]
  ) {
    if (calls++ >= at) throw new WebAssembly.RuntimeError('unreachable');
    return Reflect.apply(original, this, args);
  });
}

describe('A matcher that fails in the middle of a step', () => {
  const BATCH: Partial<SamplingParams>[] = [{}, { grammar: GRAMMAR }, { temperature: 0 }];

  for (const samplesOnGpu of [false, true]) {
    const kind = samplesOnGpu ? 'GPU' : 'CPU';
    for (const method of ['nextBitmask', 'accept'] as const) {
      it(`fails its sequence alone: ${method} (${kind})`, async () => {
        const world = new StandIn({ samplesOnGpu });
        const engine = await loaded(world);
        const { texts: whole, failures: none } = await draw(engine, BATCH);
        expect(none.size).toBe(0);
        breakMatcher(method, 3);
        const { texts, failures } = await draw(engine, BATCH);
        expect([...failures.keys()]).toEqual([1]);
        expect(failures.get(1)).toMatchObject({ code: 'engine_failed' });
        expect(texts).toEqual([whole[0], whole[1].slice(0, 3), whole[2]]);
        expect(engine.kv.freePages).toBe(engine.capacity.totalPages);
        await engine.dispose();
        expect(world.objects).toBe(0);
      });
    }
  }

  it('fails the one request of a serial engine, and the next goes on', async () => {
    const engine = await loaded(new StandIn({ lacks: ['batch_prefill'] }));
    expect(engine.status.mode).toBe('serial');
    const { texts: whole } = await draw(engine, [{ grammar: GRAMMAR }]);
    for (const method of ['nextBitmask', 'accept'] as const) {
      breakMatcher(method, 3);
      const { texts, failures } = await draw(engine, [{ grammar: GRAMMAR }]);
      vi.restoreAllMocks();
      expect(failures.get(0)).toMatchObject({ code: 'engine_failed' });
      expect(texts).toEqual([whole[0].slice(0, 3)]);
      expect((await draw(engine, [{ grammar: GRAMMAR }])).texts).toEqual(whole);
    }
    await engine.dispose();
  });

  it('and cannot even be made fails its sequence alone', async () => {
    const engine = await loaded(new StandIn());
    const { texts: whole } = await draw(engine, BATCH);
    vi.spyOn(Grammars.prototype, 'matcher').mockRejectedValue(new Error('no memory'));
    const { texts, failures } = await draw(engine, BATCH);
    expect(failures.get(1)).toMatchObject({ code: 'engine_failed', message: 'no memory' });
    expect(texts).toEqual([whole[0], [], whole[2]]);
    await engine.dispose();
  });

  it('by allowing what its grammar does not fails its sequence rather than break its promise', async () => {
    const engine = await loaded(new StandIn({ samplesOnGpu: true }));
    const words = Math.ceil(engine.model.tokenizer.vocabSize / 32);
    const any = new Int32Array(words).fill(-1);
    vi.spyOn(MachineMatcher.prototype, 'nextBitmask').mockImplementation(() => any);
    const grammar = { type: 'ebnf', grammar: 'root ::= "a"' } as const;
    const { failures } = await draw(engine, [{}, { grammar, logitBias: { 98: 100 } }]);
    expect(failures.get(1)?.message).toMatch(/Token 98 was drawn; its grammar forbids it/);
    await engine.dispose();
  });

  it('never changes a batch-mate’s text, whoever fails and whenever', async () => {
    for (const samplesOnGpu of [false, true]) {
      const engine = await loaded(new StandIn({ samplesOnGpu }));
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.boolean(), { minLength: 2, maxLength: 6 }),
          fc.constantFrom('nextBitmask', 'accept'),
          fc.integer({ min: 0, max: 2 * TOKENS }),
          async (constrained, method, at) => {
            const batch = constrained.map((is, i) =>
              is ? { grammar: GRAMMAR } : { temperature: i % 2 },
            );
            const { texts: whole } = await draw(engine, batch);
            breakMatcher(method, at);
            const { texts, failures } = await draw(engine, batch).finally(() =>
              vi.restoreAllMocks(),
            );
            for (const [i, text] of texts.entries()) {
              if (!failures.has(i)) expect(text).toEqual(whole[i]);
              else expect(whole[i].slice(0, text.length)).toEqual(text);
            }
            expect([...failures.keys()].every((i) => constrained[i])).toBe(true);
            expect(engine.kv.freePages).toBe(engine.capacity.totalPages);
          },
        ),
        { numRuns: 25 },
      );
      await engine.dispose();
    }
  });
});

describe('What a sequence is drawn with', () => {
  const spec = (id: string, sampling: Partial<SamplingParams>) => ({
    id,
    tokens: [65, 66],
    promptTokens: 2,
    sampling: { temperature: 1, topP: 1, seed: 1, ...sampling },
  });

  it('is made ready before it is in a step, and held ready from then on', async () => {
    const engine = await loaded(new StandIn());
    engine.add(spec('free', {}));
    engine.add(spec('held', { grammar: GRAMMAR }));
    expect(engine.untilDrawable?.('free')).toBeUndefined();
    const wait = engine.untilDrawable?.('held');
    expect(wait).toBeInstanceOf(Promise);
    expect(engine.untilDrawable?.('held')).toBe(wait);
    await wait;
    expect(engine.untilDrawable?.('held')).toBeUndefined();
    const { sampled } = await engine.step({ work: [{ sequenceId: 'held', tokens: 2 }] });
    expect(sampled.size).toBe(1);
    expect(engine.untilDrawable?.('held')).toBeUndefined();
    await engine.dispose();
  });

  it('is waited for where its mask takes long, and no step draws without it', async () => {
    const engine = await loaded(new StandIn());
    engine.add(spec('held', { grammar: GRAMMAR }));
    await engine.untilDrawable?.('held');
    await engine.step({ work: [{ sequenceId: 'held', tokens: 2 }] });
    let ready = () => {};
    const slow = new Promise<void>((resolve) => {
      ready = resolve;
    });
    vi.spyOn(MachineMatcher.prototype, 'prepare').mockReturnValueOnce(slow);
    const wait = engine.untilDrawable?.('held');
    expect(engine.untilDrawable?.('held')).toBe(wait);
    ready();
    await wait;
    expect(engine.untilDrawable?.('held')).toBeUndefined();
    await engine.dispose();
  });

  it('that cannot be made is said in its step', async () => {
    const engine = await loaded(new StandIn());
    engine.add(spec('held', { grammar: GRAMMAR }));
    vi.spyOn(Grammars.prototype, 'matcher').mockRejectedValue(new Error('no memory'));
    await engine.untilDrawable?.('held');
    expect(engine.untilDrawable?.('held')).toBeUndefined();
    const { failed } = await engine.step({ work: [{ sequenceId: 'held', tokens: 2 }] });
    expect(failed?.get('held')?.message).toBe('no memory');
    await engine.dispose();
  });
});

describe('A row of logits that nothing can be drawn from', () => {
  for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const logitBias = Object.fromEntries(Array.from({ length: 512 }, (_, token) => [token, value]));
    const ruined = { logitBias } as const;

    it(`fails its sequence alone (${value})`, async () => {
      const engine = await loaded(new StandIn());
      const { texts: whole } = await draw(engine, [{}, {}, {}]);
      const { texts, failures } = await draw(engine, [{}, ruined, {}]);
      expect([...failures.keys()]).toEqual([1]);
      expect(failures.get(1)).toMatchObject({ code: 'engine_failed' });
      expect(texts).toEqual([whole[0], [], whole[2]]);
      await engine.dispose();
    });

    it(`is the end of the engine where it is every row (${value})`, async () => {
      const engine = await loaded(new StandIn());
      await expect(draw(engine, [ruined, ruined])).rejects.toMatchObject({ code: 'engine_lost' });
      await engine.dispose();
    });
  }
});
