import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Request } from '../request';
import { Job } from './job';
import { WaitingIndex } from './waiting-index';

function job(rank: number, order: number): Job {
  const spec = { id: `r${order}`, app: 'app', promptTokens: 1, maxTokens: 1 };
  const made = new Job(new Request({ ...spec, slo: { class: 'best-effort' } }, 0, order));
  made.rank = rank;
  return made;
}

describe('WaitingIndex', () => {
  it('holds the highest rank first, whatever is inserted, moved and removed', () => {
    const moves = fc.array(fc.tuple(fc.nat(30), fc.nat(50)), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 31, maxLength: 31 }), moves, (ranks, steps) => {
        const index = new WaitingIndex();
        const jobs = ranks.map((rank, order) => job(rank, order));
        for (const one of jobs) index.insert(one);
        for (const [at, rank] of steps) {
          jobs[at].rank = rank;
          if (rank % 7 === 0) index.remove(jobs[at]);
          else index.update(jobs[at]);
        }
        const held = Array.from({ length: index.length }, (_, i) => index.at(i));
        expect(new Set(held).size).toBe(held.length);
        expect(held.length).toBe(jobs.filter((one) => one.indexKey !== undefined).length);
        for (let i = 1; i < held.length; i++) {
          expect(held[i - 1].indexKey).toBeGreaterThanOrEqual(held[i].indexKey ?? 0);
        }
      }),
    );
  });
});
