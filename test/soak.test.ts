/** A week of requests, in virtual time: what is remembered does not grow. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { loadSimulatedEngine, SimulatedClock } from '../src/engine/simulated';
import { TempoServer } from '../src/server';
import type { RequestEvent } from '../src/server/server-types';

const HOUR_MS = 3600_000;
const REQUESTS_AN_HOUR = 64;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function heapMegabytes(): number {
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage().heapUsed / 1e6;
}

it('a virtual week of ever new apps, stages and programs leaves the heap as it was', async () => {
  const clock = new SimulatedClock();
  const server = new TempoServer({
    clock,
    engines: {
      simulated: {
        check: async () => {},
        load: (_, options) => loadSimulatedEngine({ ...options, clock }),
      },
    },
  });
  const open = new Map<string, () => void>();
  await server.listen((events: RequestEvent[]) => {
    for (const { id, type } of events) {
      if (type !== 'done' && type !== 'error') continue;
      open.get(id)?.();
      open.delete(id);
    }
  });
  await server.watch(() => {}, 1000);
  const loaded = await server.load({ engine: 'simulated', model: 'laptop-gpu', policy: 'tempo' });
  expect(loaded.ok).toBe(true);

  async function ask(n: number): Promise<void> {
    const id = `r${n}`;
    const app = `app ${n}`;
    const ended = new Promise<void>((resolve) => open.set(id, resolve));
    const program = n % 2 === 0 ? `p${n}` : undefined;
    if (program !== undefined) {
      await server.startProgram({ id: program, app, kind: `kind ${n}`, deadline: HOUR_MS });
    }
    const messages = [{ role: 'user' as const, content: `Say ${n % 50}.` }];
    const params = { messages, stage: `stage ${n}`, max_tokens: 6, ignore_eos: true };
    const slo = { class: program === undefined ? 'best-effort' : 'program' } as const;
    const receipt = await server.submit({ id, app, slo, program, params });
    expect(receipt.ok).toBe(true);
    if (n % 7 === 0) await server.abort(id);
    await ended;
    if (n % 8 === 0) await server.endProgram(`p${n}`);
  }

  const days: number[] = [];
  let n = 0;
  for (let hour = 1; hour <= 7 * 24; hour++) {
    await Promise.all(Array.from({ length: REQUESTS_AN_HOUR }, () => ask(n++)));
    clock.advanceTo(hour * HOUR_MS);
    if (hour % 24 === 0) days.push(heapMegabytes());
  }
  expect(open.size).toBe(0);
  console.log(`heap by day, MB: ${days.map((megabytes) => megabytes.toFixed(1)).join(' ')}`);
  // What may be remembered is, by the fifth day.
  expect(days[6] - days[4]).toBeLessThan(1.5);
  await server.dispose();
}, 300_000);
