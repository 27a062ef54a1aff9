/** Grammars on a thread of their own: the same as in place, whatever becomes of the thread. */
import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type GrammarMatcher, type GrammarSource, Grammars } from '../src/engine/sampling/grammars';
import { Pace } from '../src/engine/sampling/pace';
import { serveGrammars } from '../src/engine/sampling/remote/grammar-host';
import type { GrammarOrder, GrammarReply } from '../src/engine/sampling/remote/messages';
import { RemoteGrammars } from '../src/engine/sampling/remote/remote-grammars';
import { SMALL_VOCABULARY, STOP, tokensOf } from '../src/engine/testing/small-vocabulary';
import { type GrammarSpec, seededRandom, TempoError } from '../src/scheduler';
import { type GrammarThread, portOf, startThread } from './schemas/grammar-thread';
import { SCHEMAS } from './schemas/random-schemas';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const end of ends.splice(0)) await end();
});

interface Apart {
  grammars: RemoteGrammars;
  thread: GrammarThread;
  /** How often it fell back. */
  falls: () => number;
  /** What it said and heard. */
  orders: GrammarOrder[];
  replies: GrammarReply[];
}

const vocabulary = {
  ...SMALL_VOCABULARY,
  async *tokens() {
    const { tokens } = SMALL_VOCABULARY;
    for (let at = 0; at < tokens.length; at += 100) yield tokens.slice(at, at + 100);
  },
};

const inPlace = () => Grammars.create(SMALL_VOCABULARY);

async function apart(shared = false): Promise<Apart> {
  const thread = await startThread();
  const { port } = thread;
  const [orders, replies]: [GrammarOrder[], GrammarReply[]] = [[], []];
  let falls = 0;
  const post = port.postMessage.bind(port);
  port.postMessage = (order: GrammarOrder) => {
    orders.push(order);
    post(order);
  };
  port.on('message', (reply: GrammarReply) => replies.push(reply));
  const grammars = new RemoteGrammars({
    port,
    vocabulary,
    shared,
    inPlace: () => {
      falls++;
      return inPlace();
    },
  });
  ends.push(() => grammars.dispose());
  return { grammars, thread, falls: () => falls, orders, replies };
}

const schemaOf = (schema: unknown): GrammarSpec => ({
  type: 'json_schema',
  schema: JSON.stringify(schema),
  path: 'response_format',
});

const PERSON = schemaOf({
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0, maximum: 150 } },
  required: ['name', 'age'],
  additionalProperties: false,
});

/** One that takes long. `i`: whose it is, as compiled ones are kept. */
const hard = (i: number) => schemaOf({ pattern: `^(a|b){300}(c|d){${300 + i}}$` });

/** What a matcher says at each token of a walk: its mask, or what it fails with; and whether it took each of some. */
async function walk(
  source: GrammarSource,
  spec: GrammarSpec,
  seed: number,
  steps: number,
  onStep: (step: number) => unknown = () => {},
): Promise<unknown[]> {
  const random = seededRandom(seed);
  const said: unknown[] = [];
  let matcher: GrammarMatcher;
  try {
    await source.check(spec);
    matcher = await source.matcher(spec);
  } catch (thrown) {
    return [TempoError.from(thrown).toJSON()];
  }
  for (let step = 0; step < steps; step++) {
    await onStep(step);
    await matcher.prepare(performance.now());
    let mask: Int32Array;
    try {
      mask = matcher.nextBitmask();
    } catch (thrown) {
      said.push(TempoError.from(thrown).toJSON());
      break;
    }
    said.push([...mask], matcher.terminated);
    const all = Array.from({ length: SMALL_VOCABULARY.vocabSize }, (_, token) => token);
    const isAllowed = (token: number) => ((mask[token >> 5] >>> (token & 31)) & 1) === 1;
    const forbidden = all.filter((token) => !isAllowed(token));
    for (const token of [-1, 1e6, forbidden[Math.floor(random() * forbidden.length)]]) {
      if (token !== undefined) said.push(matcher.accept(token));
    }
    const allowed = all.filter(isAllowed);
    // Ends often, so that what comes after is seen, too.
    const token =
      allowed.includes(STOP) && random() < 0.3
        ? STOP
        : allowed[Math.floor(random() * allowed.length)];
    said.push(token, matcher.accept(token));
  }
  matcher.dispose();
  return said;
}

describe('grammars on another thread', () => {
  for (const shared of [false, true]) {
    it(`say at every token what they say in place (${shared ? 'shared memory' : 'copies'})`, async () => {
      const { grammars, falls } = await apart(shared);
      const own = await inPlace();
      await fc.assert(
        fc.asyncProperty(SCHEMAS, fc.nat(), async (schema, seed) => {
          const spec = schemaOf(schema);
          expect(await walk(grammars, spec, seed, 30)).toEqual(await walk(own, spec, seed, 30));
        }),
        { numRuns: 60 },
      );
      expect(falls()).toBe(0);
    });
  }

  it.each<[string, GrammarSpec]>([
    ['a pattern', { type: 'regex', pattern: '[a-c]{2,5}x?' }],
    ['rules', { type: 'ebnf', grammar: 'root ::= "yes" | "no" [!]*' }],
    ['any JSON', { type: 'json' }],
    ['a pattern that cannot be followed', { type: 'regex', pattern: '(?=a)', path: 'p' }],
    ['rules that are none', { type: 'ebnf', grammar: 'root ::= nowhere' }],
  ])('say the same of %s', async (_, spec) => {
    const { grammars } = await apart();
    const own = await inPlace();
    for (let seed = 0; seed < 5; seed++) {
      expect(await walk(grammars, spec, seed, 40)).toEqual(await walk(own, spec, seed, 40));
    }
  });

  it('take up where a dropped sequence left off, and refuse what does not follow', async () => {
    const { grammars } = await apart();
    const own = await inPlace();
    const tokens = tokensOf('{"name": "Ada", "age": 15');
    const [resumed, kept] = [
      await grammars.matcher(PERSON, tokens),
      await own.matcher(PERSON, tokens),
    ];
    expect(resumed.nextBitmask()).toEqual(kept.nextBitmask());
    const ended = await grammars.matcher(PERSON, [...tokens, ...tokensOf('}'), STOP]);
    expect(ended.terminated).toBe(true);
    expect(ended.accept(STOP)).toBe(false);
    await expect(grammars.matcher(PERSON, tokensOf('{"nome'))).rejects.toMatchObject({
      code: 'engine_failed',
    });
  });

  it('are sent a vocabulary once, and send no mask twice', async () => {
    const { grammars, orders, replies } = await apart();
    for (let i = 0; i < 3; i++) {
      const matcher = await grammars.matcher(PERSON);
      for (const token of tokensOf('{"name": "Ada Lovelace", "age": 36}')) {
        expect(matcher.accept(token)).toBe(true);
        await matcher.prepare(performance.now());
      }
      matcher.dispose();
    }
    const masks = replies.filter((reply) => reply.type === 'mask');
    const sent = masks.filter(({ words }) => words !== undefined);
    expect(new Set(sent.map(({ mask }) => mask)).size).toBe(sent.length);
    expect(sent.length).toBeLessThan(masks.length / 3);
    const texts = orders.flatMap((order) => (order.type === 'tokens' ? order.tokens : []));
    expect(texts).toEqual(SMALL_VOCABULARY.tokens);
  });

  it('give a check up at once where its caller leaves, and go on for others', async () => {
    const { grammars, orders, replies } = await apart();
    const gone = new AbortController();
    const left = grammars.check(hard(0), gone.signal);
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await expect(grammars.check(PERSON, gone.signal)).rejects.toThrow('gone');
    await grammars.check(PERSON);
    expect(orders.filter(({ type }) => type === 'cancel')).toHaveLength(1);
    // The other side has stopped: it says so of the first, and then has nothing to do.
    await vi.waitFor(() => expect(replies.map(({ type }) => type)).toContain('failed'));
    await grammars.check(hard(0));
  });

  it('do no work on this thread, however hard the schemas', async () => {
    const { grammars, falls } = await apart();
    const rests = vi.spyOn(Pace.prototype, 'rest');
    const spends = vi.spyOn(Pace.prototype, 'spend');
    const specs = Array.from({ length: 20 }, (_, i) => hard(i));
    const live = await grammars.matcher(PERSON);
    const checked = Promise.all(specs.map((spec) => grammars.check(spec)));
    let isDone = false;
    void checked.then(() => {
      isDone = true;
    });
    let tokens = 0;
    for (const token of tokensOf('{"name": "')) await take(live, token);
    for (; !isDone; tokens++) await take(live, tokensOf('a')[0]);
    await checked;
    expect(rests).not.toHaveBeenCalled();
    expect(spends).not.toHaveBeenCalled();
    expect(falls()).toBe(0);
    // An answer under way went on beside them: a token has its mask before the next slices.
    expect(tokens).toBeGreaterThan(specs.length);
  });
});

async function take(matcher: GrammarMatcher, token: number): Promise<void> {
  expect(matcher.accept(token)).toBe(true);
  await matcher.prepare(performance.now());
}

describe('a thread that dies', () => {
  it('in the middle of an answer changes nothing of it', async () => {
    const own = await inPlace();
    await fc.assert(
      fc.asyncProperty(SCHEMAS, fc.nat(), fc.nat(25), async (schema, seed, at) => {
        const spec = schemaOf(schema);
        const expected = await walk(own, spec, seed, 25);
        const { grammars, thread } = await apart();
        const die = (step: number) => (step === at ? thread.worker.terminate() : undefined);
        expect(await walk(grammars, spec, seed, 25, die)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  it('while it is asked for something leaves nobody waiting', async () => {
    const { grammars, thread, falls } = await apart();
    const live = await grammars.matcher(PERSON, tokensOf('{"name'));
    const asked = [
      grammars.check(hard(1)),
      grammars.matcher(PERSON),
      grammars.check({ type: 'ebnf', grammar: 'root ::= nowhere' }),
    ];
    const settled = Promise.allSettled(asked);
    expect(live.accept(tokensOf('": "')[0])).toBe(true);
    await thread.worker.terminate();
    const [first, second, third] = await settled;
    expect([first.status, second.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(third).toMatchObject({ reason: { code: 'invalid_schema' } });
    await live.prepare(performance.now());
    const own = await (await inPlace()).matcher(PERSON, [
      ...tokensOf('{"name'),
      tokensOf('": "')[0],
    ]);
    expect(live.nextBitmask()).toEqual(own.nextBitmask());
    expect(falls()).toBe(1);
  });
});

describe('a thread that says nothing', () => {
  const silent = (isReady: boolean) => {
    const { port1, port2 } = new MessageChannel();
    const port = portOf(port1);
    ends.push(() => port1.close());
    const close = vi.spyOn(port, 'close');
    if (isReady) port2.postMessage({ type: 'ready' } satisfies GrammarReply);
    return { grammars: new RemoteGrammars({ port, vocabulary, inPlace }), close };
  };

  for (const isReady of [false, true]) {
    it(`${isReady ? 'any more' : 'from the start'} is done without`, async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
      const { grammars, close } = silent(isReady);
      let isThere = false;
      const matcher = grammars.matcher(PERSON).then((one) => {
        isThere = true;
        return one;
      });
      await new Promise(setImmediate);
      await vi.advanceTimersByTimeAsync(5000);
      expect(isThere).toBe(false);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(close).toHaveBeenCalledOnce();
      expect((await matcher).accept(tokensOf('{"')[0])).toBe(true);
    });
  }

  it('is left alone where nothing is asked of it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const { port1, port2 } = new MessageChannel();
    const port = portOf(port1);
    ends.push(() => port1.close());
    const close = vi.spyOn(port, 'close');
    serveGrammars(portOf(port2));
    const grammars = new RemoteGrammars({ port, vocabulary, inPlace });
    const matcher = await grammars.matcher(PERSON);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(close).not.toHaveBeenCalled();
    await take(matcher, tokensOf('{"')[0]);
  });
});
