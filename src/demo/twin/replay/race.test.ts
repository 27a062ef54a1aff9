import { describe, expect, it } from 'vitest';
import type { PolicyName } from '../../../client';
import { type Arrival, DEVICE_PROFILES } from '../../../lab';
import { DEFAULT_SLOS } from '../../design/apps';
import { Fates } from '../fates';
import { arrivalOf, meanWorkMs, type ScenarioName, Traffic } from '../scenarios';
import type { Standing } from '../standing';
import { pairsOf } from '../verdict';
import { type FromRace, Race } from './race';

const DEVICE = DEVICE_PROFILES['laptop-gpu'];
const START_MS = 5000;

function arrivalsOf(scenario: ScenarioName, load: number, untilMs: number, seed = 7): Arrival[] {
  const traffic = new Traffic(scenario, seed, DEVICE.contextWindow);
  const meanMs = meanWorkMs(scenario, DEVICE);
  const arrivals: Arrival[] = [];
  let atMs = START_MS;
  for (;;) {
    const draft = traffic.next();
    atMs += (draft.gap * meanMs) / load;
    if (atMs > untilMs) return arrivals;
    arrivals.push(arrivalOf(draft, `r${arrivals.length}`, atMs, DEFAULT_SLOS));
  }
}

/** A race as the page holds it: arrivals become known as time goes by. */
class Page {
  readonly told: FromRace[] = [];
  readonly race = new Race((message) => this.told.push(structuredClone(message)));
  atMs = START_MS;

  constructor(shown: PolicyName, others: readonly PolicyName[] = []) {
    this.race.take({ type: 'start', run: 1, startMs: START_MS, device: DEVICE, shown, others });
  }

  async run(arrivals: readonly Arrival[], untilMs: number, everyMs = 200): Promise<void> {
    let next = 0;
    while (this.atMs < untilMs) {
      this.atMs += everyMs;
      while (next < arrivals.length && arrivals[next].atMs <= this.atMs) {
        this.race.take({ type: 'arrive', arrival: structuredClone(arrivals[next++]) });
      }
      const sinceMs = this.atMs - 30_000;
      this.race.take({ type: 'advance', toMs: this.atMs - 100, device: DEVICE, sinceMs });
      await this.race.settled();
    }
  }

  /** What the page makes of the frames that it was told. */
  get fates(): Fates {
    const fates = new Fates();
    for (const message of this.told) {
      if (message.type !== 'frames') continue;
      if (message.whole) fates.clear();
      for (const frame of message.frames) fates.add(frame);
    }
    return fates;
  }

  get standings(): readonly Standing[] {
    return this.told.findLast((message) => message.type === 'standings')?.standings ?? [];
  }
}

describe('the replays', () => {
  it('come to the same for the same seed, however often they are told to go on', async () => {
    const arrivals = arrivalsOf('rush', 2, 25_000);
    const [one, two] = [new Page('tempo'), new Page('tempo')];
    await one.run(arrivals, 25_000);
    await two.run(arrivals, 25_000, 400);
    expect(one.fates.all.length).toBeGreaterThan(20);
    expect(two.fates.all).toEqual(one.fates.all);
    const three = new Page('tempo');
    await three.run(arrivalsOf('rush', 2, 25_000, 8), 25_000);
    expect(three.fates.all).not.toEqual(one.fates.all);
  });

  it('give every policy the same arrivals', async () => {
    const arrivals = arrivalsOf('rush', 1.5, 20_000);
    const pages = [new Page('tempo'), new Page('fcfs'), new Page('webllm')];
    for (const page of pages) await page.run(arrivals, 20_000);
    const [first, ...others] = pages.map(({ fates }) =>
      fates.all
        .map(({ id, app, arrivalMs }) => ({ id, app, arrivalMs }))
        .sort((a, b) => a.arrivalMs - b.arrivalMs),
    );
    expect(first.map(({ id }) => id)).toEqual(arrivals.slice(0, first.length).map(({ id }) => id));
    for (const other of others) expect(other).toEqual(first);
  });

  it('tell all of a policy that is chosen later, as if it had been shown from the start', async () => {
    const arrivals = arrivalsOf('rush', 2, 20_000);
    const early = new Page('sarathi');
    await early.run(arrivals, 20_000);
    const late = new Page('tempo', ['sarathi']);
    await late.run(arrivals, 20_000);
    late.race.take({ type: 'show', policy: 'sarathi' });
    expect(late.told.at(-1)).toMatchObject({ type: 'frames', policy: 'sarathi', whole: true });
    const behind = late.fates.all.length;
    expect(behind).toBeGreaterThan(10);
    expect(early.fates.all.slice(0, behind).map(({ id }) => id)).toEqual(
      late.fates.all.map(({ id }) => id),
    );
  });

  it('set tempo apart from fcfs and sarathi in the rush hour, and nobody from anybody when it is calm', async () => {
    const names: PolicyName[] = ['tempo', 'fcfs', 'sarathi', 'edf'];
    const shares = async (scenario: ScenarioName, load: number) => {
      const page = new Page('tempo', names);
      await page.run(arrivalsOf(scenario, load, 45_000), 45_000);
      return Object.fromEntries(
        page.standings.map(({ policy, met, judged }) => [policy, met / judged]),
      );
    };
    const rush = await shares('rush', 2);
    expect(rush.tempo).toBeGreaterThan(0.7);
    expect(rush.fcfs).toBeLessThan(0.2);
    expect(rush.sarathi).toBeLessThan(0.2);
    const calm = await shares('calm', 0.5);
    expect(calm.tempo).toBeGreaterThan(0.95);
    expect(calm.edf).toBeGreaterThan(0.8);
  }, 60_000);

  it('let who waits too long leave', async () => {
    const page = new Page('webllm');
    await page.run(arrivalsOf('rush', 3, 40_000), 40_000);
    const left = page.fates.all.filter(({ app, endMs, arrivalMs }) => {
      const tookMs = (endMs ?? Number.POSITIVE_INFINITY) - arrivalMs;
      return app === 'chat' && tookMs >= 8000 && tookMs < 9500;
    });
    expect(left.length).toBeGreaterThan(5);
    for (const { met } of left) expect(met).toBe(false);
  });

  it('end a request of unknown length when its length is known', async () => {
    const page = new Page('tempo');
    const call = { stage: 'reply', promptTokens: 40, maxTokens: 512, outputTokens: Infinity };
    const arrival: Arrival = {
      kind: 'request',
      id: 'own',
      app: 'chat',
      atMs: START_MS + 50,
      slo: { class: 'latency', ttft: 800, tbt: 80 },
      call,
    };
    await page.run([arrival], START_MS + 1200);
    expect(page.fates.get('own')?.endMs).toBeUndefined();
    page.race.take({ type: 'length', id: 'own', outputTokens: 20 });
    await page.run([], page.atMs + 400);
    expect(page.fates.get('own')).toMatchObject({ met: true, endMs: expect.any(Number) });
  });

  it('hold the whole app to another objective from the moment that it is given', async () => {
    const arrivals = arrivalsOf('calm', 0.5, 15_000);
    const strict = new Page('tempo');
    const [before, after] = [
      arrivals.filter((a) => a.atMs < 8000),
      arrivals.filter((a) => a.atMs >= 8000),
    ];
    await strict.run(before, 8000);
    const slo = { class: 'latency', ttft: 1, tbt: 1 } as const;
    strict.race.take({ type: 'slo', app: 'chat', slo });
    await strict.run(
      after.map((a) => (a.kind === 'request' && a.app === 'chat' ? { ...a, slo } : a)),
      15_000,
    );
    const usual = new Page('tempo');
    await usual.run(arrivals, 15_000);
    const since = pairsOf(strict.fates, usual.fates, 8000).filter(({ app }) => app === 'chat');
    expect(since.length).toBeGreaterThan(2);
    expect(since.filter(({ a }) => a.met)).toEqual([]);
    expect(since.some(({ b }) => b.met)).toBe(true);
  });
});
