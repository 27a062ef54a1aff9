/**
 * The whole server under random faults and hostile requests: short here, minutes long as
 * `npm run test:chaos`. CHAOS_SEED repeats a run, CHAOS_SECONDS says how long it takes.
 */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../src/scheduler';
import { leastBlock } from './chaos/blocks';
import { Caller, type ChaosOptions, chaos, hostile, type Report, turn } from './chaos/run';
import { simulatedWorld, standInWorld, type World } from './chaos/worlds';

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1e6);
const MS = (Number(process.env.CHAOS_SECONDS ?? 8) * 1000) / 2;
/** A load waits 4 s at most for an engine that hangs, and for one that hangs again. */
const BOUND_MS = 30_000;
const TIMEOUT_MS = 3 * (MS + BOUND_MS);
/** The loop is not to be held longer in one go. */
const BLOCK_MS = 50;

const TEXTS = [
  'Yes.',
  'Tides are the rise and fall of the sea.',
  'A queue is fair if nobody in it has reason to leave. '.repeat(4),
  'Bread wants time, water, salt and more time.',
];
/** What a run is tried with. */
type Trial = Omit<ChaosOptions, 'world' | 'ms' | 'boundMs'>;

const CHAT = { class: 'latency', ttft: 2000, tbt: 200 } as const;

const said = (text: string) => ({
  messages: [{ role: 'user', content: 'Go on.' }],
  simulate: { content: text },
});

function tell(world: string, { requests, innocents, done, faults, longestMs, wrong }: Report) {
  const tried = [...faults.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    `${world}, seed ${SEED}: ${tried} faults of ${faults.size} kinds tried, ${wrong.length === 0 ? 'all' : 'not all'} survived; ` +
      `${requests} requests, of them ${innocents} innocent, ${done} of those answered; longest ${Math.round(longestMs)} ms.`,
  );
}

/** What innocents get in a calm world, with and without company. */
async function served(attacks: readonly unknown[]) {
  const world = simulatedWorld();
  const caller = new Caller(world);
  await world.server.load(world.config);
  const innocents: ReturnType<Caller['ask']>[] = [];
  for (let i = 0; i < 24; i++) {
    innocents.push(caller.ask('innocent', said(TEXTS[i % TEXTS.length]), CHAT));
    for (let k = 0; k < 3 && attacks.length > 0; k++) {
      void caller.ask('hostile', attacks[(3 * i + k) % attacks.length]);
      await turn();
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const outcomes = await Promise.all(innocents);
  await world.server.dispose();
  return outcomes.map(({ text, code, met }) => ({ text, code, met }));
}

describe('whatever others send', () => {
  it('texts and deadlines are those of a run without them, and nothing holds the loop up', async () => {
    const attacks = hostile(seededRandom(SEED));
    const calm = await served([]);
    let beset = await served(attacks); // once, so that what is compiled is
    expect(beset).toEqual(calm);
    const block = await leastBlock(async () => {
      beset = await served(attacks);
    }, BLOCK_MS);
    expect(calm.every(({ code, met }) => code === 'done' && met)).toBe(true);
    expect(beset).toEqual(calm);
    console.log(
      `${attacks.length} hostile requests: the longest block took ${Math.round(block)} ms.`,
    );
    expect(block).toBeLessThan(BLOCK_MS);
  }, 60_000);
});

describe('whatever happens', () => {
  /** What can go wrong in a world goes wrong at random; all is to be as it should. */
  async function survives(name: string, world: () => World, options: Trial): Promise<void> {
    const block = await leastBlock(async () => {
      const report = await chaos({ world: world(), ms: MS, boundMs: BOUND_MS, ...options });
      tell(name, report);
      expect(report.wrong).toEqual([]);
      expect(report.done).toBeGreaterThan(0);
    }, BLOCK_MS);
    console.log(`The longest block took ${Math.round(block)} ms.`);
    expect(block).toBeLessThan(BLOCK_MS);
  }

  it(
    `on the simulated engine every request ends once, typed, in time (seed ${SEED})`,
    async () => {
      const random = seededRandom(SEED);
      const attacks = hostile(random);
      const innocents = TEXTS.map((text) => ({ params: said(text), text }));
      const options = { random, innocents, attacks, faultShare: 0.06 };
      await survives('simulated', simulatedWorld, options);
    },
    TIMEOUT_MS,
  );

  it(
    `on the stand-in, too (seed ${SEED})`,
    async () => {
      const prompts = [3, 5, 8].map((seed) => ({
        messages: [{ role: 'user', content: `Say ${seed}.` }],
        seed,
        max_tokens: 12,
        ignore_eos: true,
      }));
      const calm: World = standInWorld();
      const caller = new Caller(calm);
      await calm.server.load(calm.config);
      const innocents: { params: object; text: string }[] = [];
      for (const params of prompts) {
        innocents.push({ params, text: (await caller.ask('innocent', params)).text });
      }
      await calm.server.dispose();
      const random = seededRandom(SEED + 1);
      const attacks = hostile(random);
      // It takes a while to load.
      const options = { random, innocents, attacks, faultShare: 0.003 };
      await survives('stand-in', standInWorld, options);
    },
    TIMEOUT_MS,
  );
});
