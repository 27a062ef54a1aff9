/**
 * What every `StepEngine` keeps, as checks that need no test framework: they run in vitest on the
 * simulated engine and on a stand-in for WebLLM, and as they are on a real model. Each check throws
 * with a sentence when the engine breaks its word.
 */
import {
  type SampledToken,
  type SamplingParams,
  type SequenceSpec,
  seededRandom,
  TempoError,
} from '../../scheduler';
import type { StepEngine } from '../step-engine';

export interface ContractOptions {
  /** Loads an engine. Called once; the last check disposes it. */
  load(): Promise<StepEngine>;
  /** Tokens generated a text: fewer on slow devices. Default 8. */
  tokens?: number;
  /** Requests of the random run. Default 500. */
  requests?: number;
}

export interface ContractCheck {
  name: string;
  run(): Promise<void>;
}

/** The suite, in order. All checks use one engine and leave it as they found it. */
export function stepEngineContract(options: ContractOptions): ContractCheck[] {
  let loaded: Promise<StepEngine> | undefined;
  const checks = Object.entries(CHECKS).map(([name, check]) => ({
    name,
    run: async () => {
      loaded ??= options.load();
      const engine = await loaded;
      const driver = new Driver(engine, options.tokens ?? 8);
      const before = engine.kv.freePages;
      await check(driver, options);
      if (name === LAST) return;
      equal(engine.kv.freePages, before, 'free pages after the check');
    },
  }));
  return checks;
}

type Check = (driver: Driver, options: ContractOptions) => Promise<void>;

const LAST = 'is disposed once, and says so afterwards';

const CHECKS: Record<string, Check> = {
  'has a capacity that makes sense': async ({ engine }) => {
    const { capacity, kv } = engine;
    for (const [name, value] of Object.entries(capacity)) {
      ok(Number.isInteger(value) && value > 0, `capacity.${name} is ${value}`);
    }
    ok(capacity.maxBatch <= capacity.maxSequences, 'a batch is at most all sequences');
    equal(kv.freePages, capacity.totalPages, 'free pages of an idle engine');
    ok(kv.cachedPages >= 0 && kv.cachedPages <= kv.freePages, 'cached pages are part of the free');
    if (!engine.capabilities.batchedDecode) equal(capacity.maxBatch, 1, 'a serial batch');
  },

  'samples one token for a prompt, and one for every decode': async (driver) => {
    const { engine } = driver;
    const pending = driver.add(driver.spec('a', 5));
    ok(pending >= 1 && pending <= 5, `${pending} of 5 tokens are left to compute`);
    const first = await driver.step(['a', pending]);
    ok(validToken(first.get('a'), engine), 'the first token is one of the vocabulary');
    for (let i = 0; i < 3; i++)
      ok(validToken((await driver.step(['a', 1])).get('a'), engine), 'a token a decode');
    engine.remove('a');
  },

  'says how long a step took': async (driver) => {
    const { engine } = driver;
    driver.add(driver.spec('a'));
    const { durationMs } = await engine.step({ work: [{ sequenceId: 'a', tokens: 1 }] });
    ok(Number.isFinite(durationMs) && durationMs >= 0, `durationMs is ${durationMs}`);
    engine.remove('a');
  },

  'takes pages as tokens are computed, and gives them back': async (driver) => {
    const { engine } = driver;
    const { pageSize } = engine.capacity;
    const before = engine.kv.freePages;
    const spec = driver.spec('a', 2 * pageSize + 3, 77);
    await driver.start(spec, 1);
    ok(before - engine.kv.freePages >= 3, 'three pages are taken');
    equal(engine.kv.pagesOf('a'), before - engine.kv.freePages, 'pagesOf the only sequence');
    engine.remove('a');
    equal(engine.kv.freePages, before, 'free pages after remove');
    equal(engine.kv.pagesOf('a'), 0, 'pages of a sequence that is not there');
  },

  'gives the same text whole and in chunks': async (driver) => {
    if (!driver.engine.capabilities.continuedPrefill) return;
    const { pageSize } = driver.engine.capacity;
    const spec = driver.spec('a', 2 * pageSize + 5, 1);
    const whole = await driver.text(spec);
    // Cold only on an engine that keeps no prefixes; else this is about what the cache gives.
    // One size cuts across pages, the other is a page.
    for (const chunk of [7, pageSize]) {
      same(await driver.text({ ...spec, id: `b${chunk}` }, chunk), whole, `in chunks of ${chunk}`);
    }
  },

  'samples only once all known tokens are computed': async (driver) => {
    const { engine } = driver;
    if (!engine.capabilities.continuedPrefill) return;
    const sampled = await driver.step(['a', driver.add(driver.spec('a', 9, 40)) - 1]);
    equal(sampled.size, 0, 'tokens sampled within a prompt');
    equal((await driver.step(['a', 1])).size, 1, 'tokens sampled at its end');
    engine.remove('a');
  },

  'gives every sequence the text it gets alone, greedy or seeded': async (driver) => {
    const { engine } = driver;
    if (!engine.capabilities.batchedDecode) return;
    const count = Math.min(4, engine.capacity.maxBatch);
    const specs = Array.from({ length: count }, (_, i) =>
      driver.spec(
        `s${i}`,
        5 + 4 * i,
        100 + i,
        i % 2 ? { temperature: 1.2, topP: 0.9, seed: i } : {},
      ),
    );
    const alone: number[][] = [];
    for (const spec of specs) alone.push(await driver.text({ ...spec, id: `${spec.id} alone` }));
    const together = await driver.texts(specs);
    for (const [i, text] of together.entries()) same(text, alone[i], `sequence ${i} in a batch`);
    ok(new Set(together.map(String)).size > 1, 'different prompts give different texts');
  },

  'lets prefill and decode share a step': async (driver) => {
    const { engine } = driver;
    if (!engine.capabilities.mixedSteps || !engine.capabilities.batchedDecode) return;
    const a = driver.spec('a', 6, 200);
    const b = driver.spec('b', 11, 201);
    const alone = [await driver.text({ ...a, id: 'a1' }), await driver.text({ ...b, id: 'b1' })];
    const texts: number[][] = [[], []];
    const take = (sampled: ReadonlyMap<string, SampledToken>) => {
      const [x, y] = [sampled.get('a'), sampled.get('b')];
      if (x !== undefined) texts[0].push(x.token);
      if (y !== undefined) texts[1].push(y.token);
    };
    take(await driver.step(['a', driver.add(a)]));
    let left = driver.add(b);
    if (engine.capabilities.continuedPrefill && left > 4) {
      take(await driver.step(['a', 1], ['b', 4]));
      left -= 4;
    }
    take(await driver.step(['a', 1], ['b', left]));
    take(await driver.step(['b', 1], ['a', 1]));
    driver.removeAll();
    same(texts[0], alone[0].slice(0, texts[0].length), 'a decode beside a prefill');
    same(texts[1], alone[1].slice(0, texts[1].length), 'a prefill beside a decode');
  },

  'pauses a sequence in place': async (driver) => {
    const { engine } = driver;
    if (engine.capacity.maxSequences < 2) return;
    const a = driver.spec('a', 7, 300);
    const alone = await driver.text({ ...a, id: 'alone' });
    const text = await driver.start(a, 3);
    await driver.text(driver.spec('between', 5, 301));
    text.push(...(await driver.decode('a', driver.tokens - 3)));
    engine.remove('a');
    same(text, alone, 'a text with a pause in it');
  },

  'goes on exactly where it was after its pages were dropped': async (driver) => {
    const { engine } = driver;
    for (const sampling of [{}, { temperature: 1, topP: 0.95, seed: 9, frequencyPenalty: 0.5 }]) {
      const spec = driver.spec('a', 8, 400, sampling);
      const alone = await driver.text({ ...spec, id: 'alone' });
      const text = await driver.start(spec, 3);
      engine.remove('a');
      const again = { ...spec, tokens: [...Array.from(spec.tokens), ...text] };
      text.push(...(await driver.start(again, driver.tokens - 3)));
      engine.remove('a');
      same(text, alone, 'a text with a drop in it');
    }
  },

  'tells beforehand what it finds cached, and finds that': async (driver) => {
    const { engine } = driver;
    const { pageSize } = engine.capacity;
    const first = driver.spec('a', 5 * pageSize, 500);
    const cold = await driver.text({ ...first, id: 'cold' });
    const matched = engine.kv.matchPrefix(first.tokens);
    ok(matched < first.tokens.length, 'one token is left to compute');
    equal(driver.add(first), first.tokens.length - matched, 'tokens left to compute');
    const warm = [tokenOf(await driver.step(['a', first.tokens.length - matched]), 'a')];
    warm.push(...(await driver.decode('a', driver.tokens - 1)));
    engine.remove('a');
    same(warm, cold, 'a text on a cached prefix');
    // The same conversation, one turn on.
    const next = {
      ...driver.spec('b', 0, 500),
      tokens: [...Array.from(first.tokens), ...cold, ...prompt(engine, 5, 501)],
    };
    const turn = { ...next, promptTokens: next.tokens.length };
    const found = engine.kv.matchPrefix(turn.tokens);
    if (matched > 0) ok(found >= first.tokens.length, `the next turn finds ${found} tokens`);
    await driver.text(turn);
  },

  'gives twins, started together, the text that one of them gets alone': async (driver) => {
    const { engine } = driver;
    const { capacity, capabilities } = engine;
    if (!capabilities.batchedDecode) return;
    const length = Math.min(5 * capacity.pageSize + 7, Math.floor(capacity.maxPrefillTokens / 3));
    const specs = ['a', 'b', 'c'].map((id) => driver.spec(id, length, 550));
    const alone = await driver.text({ ...specs[0], id: 'alone' });
    for (const text of await driver.texts(specs)) same(text, alone, 'a twin');
    // And one of them a chunk ahead of the others.
    if (!capabilities.continuedPrefill) return;
    const left = driver.add(specs[0]);
    const also = driver.add(specs[1]);
    const first = Math.min(left - 1, capacity.pageSize + 3);
    if (first > 0) await driver.step(['a', first]);
    const sampled = await driver.step(['a', left - Math.max(0, first)], ['b', also]);
    equal(tokenOf(sampled, 'a'), alone[0], 'the twin ahead');
    equal(tokenOf(sampled, 'b'), alone[0], 'the twin behind');
    engine.remove('a');
    engine.remove('b');
  },

  'refuses what cannot be, and goes on unharmed': async (driver) => {
    const { engine } = driver;
    const spec = driver.spec('a', 4, 600);
    const pending = driver.add(spec);
    await rejects(
      () => engine.step({ work: [{ sequenceId: 'nobody', tokens: 1 }] }),
      'an unknown sequence',
    );
    await rejects(
      () => engine.step({ work: [{ sequenceId: 'a', tokens: pending + 1 }] }),
      'more tokens than known',
    );
    await rejects(() => engine.step({ work: [{ sequenceId: 'a', tokens: 0 }] }), 'no tokens');
    await rejects(async () => engine.add(spec), 'a second sequence of that name');
    engine.remove('nobody');
    equal((await driver.step(['a', pending])).size, 1, 'tokens sampled after refusals');
    engine.remove('a');
  },

  'holds as many sequences as it says, and no more': async (driver) => {
    const { engine } = driver;
    const count = engine.capacity.maxSequences;
    if (count > 64) return;
    for (let i = 0; i < count; i++) driver.add(driver.spec(`s${i}`, 2, 700 + i));
    await rejects(async () => engine.add(driver.spec('more', 2, 799)), 'one sequence too many');
    driver.removeAll();
  },

  'obeys the sampling parameters': async (driver) => {
    const { engine } = driver;
    if (engine.model.simulated) return;
    const forced = await driver.text(driver.spec('a', 6, 1000, { logitBias: { 7: 100 } }));
    ok(
      forced.every((token) => token === 7),
      'logit_bias 100 forces a token',
    );
    const seeded = { temperature: 1.5, topP: 1, seed: 3 };
    const one = await driver.text(driver.spec('b', 6, 1001, seeded));
    same(await driver.text(driver.spec('c', 6, 1001, seeded)), one, 'the same seed');
    const other = await driver.text(driver.spec('d', 6, 1001, { ...seeded, seed: 4 }));
    ok(String(other) !== String(one), 'another seed gives another text');
    const spec = driver.spec('e', 6, 1002, { topLogprobs: 2 });
    const token = (await driver.step(['e', driver.add(spec)])).get('e');
    engine.remove('e');
    ok(
      token?.logprob !== undefined && token.logprob <= 0,
      'a log probability where it is asked for',
    );
    equal(token?.topLogprobs?.length, 2, 'likeliest tokens');
    equal(token?.topLogprobs?.[0].token, token?.token, 'greedy draws the likeliest');
  },

  'leaves nothing behind after many requests, some of them aborted': async (driver, options) => {
    const { engine } = driver;
    const random = seededRandom(1);
    const { maxBatch, contextWindow, pageSize } = engine.capacity;
    const live = new Map<string, { pending: number; left: number }>();
    let started = 0;
    const total = options.requests ?? 500;
    while (started < total || live.size > 0) {
      while (started < total && live.size < Math.min(6, engine.capacity.maxSequences)) {
        const length = 1 + Math.floor(random() * Math.min(40, contextWindow / 2));
        if ((length + 8) / pageSize + 2 > engine.kv.freePages) break;
        const spec = driver.spec(`r${started++}`, length, Math.floor(random() * 8));
        live.set(spec.id, { pending: driver.add(spec), left: Math.floor(random() * 6) });
      }
      const work: [string, number][] = [];
      let budget = engine.capacity.maxPrefillTokens;
      for (const [id, request] of live) {
        if (work.length >= maxBatch || budget < 1) break;
        const { continuedPrefill, mixedSteps } = engine.capabilities;
        const tokens = continuedPrefill
          ? Math.min(request.pending, budget, 1 + Math.floor(random() * 16))
          : request.pending;
        if (!mixedSteps && work.length > 0) break;
        if (random() < 0.2 && work.length > 0) continue;
        work.push([id, tokens]);
        budget -= tokens;
      }
      const sampled = await driver.step(...work);
      for (const [id, tokens] of work) {
        const request = live.get(id);
        if (request === undefined) continue;
        request.pending -= tokens;
        equal(sampled.has(id), request.pending === 0, `a token for ${id}`);
        if (request.pending === 0) {
          request.pending = 1;
          request.left--;
        }
        if (request.left < 0 || random() < 0.1) {
          engine.remove(id);
          live.delete(id);
        }
      }
    }
  },

  [LAST]: async (driver) => {
    const { engine } = driver;
    await engine.dispose();
    await engine.dispose();
    if (engine.model.simulated) return;
    await rejects(async () => engine.add(driver.spec('z')), 'a sequence after dispose');
  },
};

/** Drives an engine as a check needs it. */
class Driver {
  readonly engine: StepEngine;
  /** Tokens generated a text. */
  readonly tokens: number;
  readonly #added = new Set<string>();

  constructor(engine: StepEngine, tokens: number) {
    this.engine = engine;
    this.tokens = tokens;
  }

  /** A request for `length` prompt tokens of the family `seed`. */
  spec(id: string, length = 1, seed = 0, sampling: Partial<SamplingParams> = {}): SequenceSpec {
    const tokens = prompt(this.engine, length, seed);
    return {
      id,
      tokens,
      promptTokens: length,
      sampling: { temperature: 0, topP: 1, seed, ignoreEos: true, ...sampling },
      script: { length: 1000 },
    };
  }

  /** Makes a sequence resident. Returns how many of its tokens are left to compute. */
  add(spec: SequenceSpec): number {
    const { cachedTokens } = this.engine.add(spec);
    this.#added.add(spec.id);
    return spec.tokens.length - cachedTokens;
  }

  async step(...work: [string, number][]): Promise<ReadonlyMap<string, SampledToken>> {
    const { sampled } = await this.engine.step({
      work: work.map(([sequenceId, tokens]) => ({ sequenceId, tokens })),
    });
    return sampled;
  }

  /** Adds a sequence, prefills it and decodes: its first `count` tokens. It stays resident. */
  async start(spec: SequenceSpec, count: number): Promise<number[]> {
    const first = await this.step([spec.id, this.add(spec)]);
    return [tokenOf(first, spec.id), ...(await this.decode(spec.id, count - 1))];
  }

  async decode(id: string, count: number): Promise<number[]> {
    const text: number[] = [];
    for (let i = 0; i < count; i++) text.push(tokenOf(await this.step([id, 1]), id));
    return text;
  }

  /** A whole request, alone; prefilled at most `chunk` tokens a step. */
  async text(spec: SequenceSpec, chunk = Number.POSITIVE_INFINITY): Promise<number[]> {
    let left = this.add(spec);
    const limit = Math.min(chunk, this.engine.capacity.maxPrefillTokens);
    for (; left > limit; left -= limit) await this.step([spec.id, limit]);
    const text = [tokenOf(await this.step([spec.id, left]), spec.id)];
    text.push(...(await this.decode(spec.id, this.tokens - 1)));
    this.engine.remove(spec.id);
    return text;
  }

  /** Whole requests, together: prefilled one after another where steps cannot be mixed. */
  async texts(specs: readonly SequenceSpec[]): Promise<number[][]> {
    const texts = specs.map(() => [] as number[]);
    const take = (sampled: ReadonlyMap<string, SampledToken>) =>
      specs.forEach(({ id }, i) => {
        const token = sampled.get(id);
        if (token !== undefined) texts[i].push(token.token);
      });
    const work = specs.map((spec): [string, number] => [spec.id, this.add(spec)]);
    take(await this.step(...work));
    for (let i = 1; i < this.tokens; i++)
      take(await this.step(...specs.map(({ id }): [string, number] => [id, 1])));
    for (const { id } of specs) this.engine.remove(id);
    return texts;
  }

  removeAll(): void {
    for (const id of this.#added) this.engine.remove(id);
    this.#added.clear();
  }
}

/** `length` tokens; prompts of one seed start alike. */
function prompt(engine: StepEngine, length: number, seed: number): number[] {
  const random = seededRandom(seed + 12345);
  // Low ids are ordinary text in every vocabulary; the last ones may be special.
  const range = Math.min(200, engine.model.tokenizer.vocabSize);
  return Array.from({ length }, () => Math.floor(random() * range));
}

function validToken(sampled: SampledToken | undefined, { model }: StepEngine): boolean {
  const token = sampled?.token;
  return (
    token !== undefined &&
    Number.isInteger(token) &&
    token >= 0 &&
    token < model.tokenizer.vocabSize
  );
}

function tokenOf(sampled: ReadonlyMap<string, SampledToken>, id: string): number {
  const token = sampled.get(id)?.token;
  if (token === undefined) throw new Error(`The step sampled no token for "${id}".`);
  return token;
}

function ok(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Not so: ${what}.`);
}

function equal(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}.`);
}

function same(actual: readonly number[], expected: readonly number[], what: string): void {
  equal(actual.join(' '), expected.join(' '), what);
}

async function rejects(work: () => Promise<unknown>, what: string): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TempoError) return;
    throw new Error(`${what} is refused with ${String(error)}, which is no TempoError.`);
  }
  throw new Error(`${what} is not refused.`);
}
