import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KvOperations, SequenceTable, type SequenceTableOptions } from './sequence-table';

const OPTIONS: SequenceTableOptions = {
  totalPages: 16,
  pageSize: 4,
  maxSequences: 4,
  maxKept: 3,
  sharing: true,
  sharesWithinPage: true,
  trims: true,
};

const tokens = (...ids: number[]) => ids;
const run = (length: number, first = 1) => Array.from({ length }, (_, i) => first + i);

/** Adds a sequence and computes all of it. */
function fill(table: SequenceTable, id: string, ids: readonly number[]): number {
  const cached = table.add(id, ids);
  table.extend(id, ids, cached, ids.length);
  return cached;
}

describe('SequenceTable', () => {
  it('starts a new sequence on the longest prefix of a live one, within a page too', () => {
    const table = new SequenceTable(OPTIONS);
    fill(table, 'a', run(10));
    expect(table.matchPrefix([...run(7), 99, 98])).toBe(7);
    expect(fill(table, 'b', [...run(7), 99, 98])).toBe(7);
    // a: 3 pages; b shares one, copies part of the second, and adds a third.
    expect(table.freePages).toBe(16 - 3 - 2);
    expect(table.pagesOf('a')).toBe(2);
  });

  it('shares nothing between groups, live or kept, late or not', () => {
    const table = new SequenceTable(OPTIONS);
    table.add('a', run(12), 'one');
    table.extend('a', run(12), 0, 12);
    expect(table.matchPrefix(run(13), 'one')).toBe(12);
    expect(table.matchPrefix(run(13), 'two')).toBe(0);
    expect(table.matchPrefix(run(13))).toBe(0);
    expect(table.add('b', run(13), 'two')).toBe(0);
    expect(table.lateMatch('b', run(13), 12)).toBe(0);
    expect(table.rematch('b', run(13), 12)).toBe(0);
    table.remove('a');
    expect(table.matchPrefix(run(13), 'two')).toBe(0);
    table.extend('b', run(13), 0, 13);
    expect(table.add('c', [...run(6), 77], 'two')).toBe(6);
    expect(table.matchPrefix([...run(6), 77], 'two')).toBe(6);
  });

  it('leaves one token to sample from', () => {
    const table = new SequenceTable(OPTIONS);
    fill(table, 'a', run(8));
    expect(table.matchPrefix(run(8))).toBe(7);
  });

  it('shares whole pages only where a copy within a page is not to be trusted', () => {
    const table = new SequenceTable({ ...OPTIONS, sharesWithinPage: false });
    fill(table, 'a', run(10));
    expect(table.add('b', run(10))).toBe(8);
  });

  it('keeps a finished sequence as a prefix: the next turn prefills only what is new', () => {
    const table = new SequenceTable(OPTIONS);
    fill(table, 'turn 1', run(20));
    table.remove('turn 1');
    expect(table.freePages).toBe(16);
    expect(table.cachedPages).toBe(5);
    expect(fill(table, 'turn 2', run(30))).toBe(20);
    table.remove('turn 2');
    // The longer one covers the shorter.
    expect(table.keptSequences).toBe(1);
    expect(table.metrics).toMatchObject({ lookups: 2, hits: 1, cachedTokens: 20 });
  });

  it('goes on with a kept sequence as it is, where all of it matches: no fork, no copy', () => {
    const calls: string[] = [];
    const table = new SequenceTable({ ...OPTIONS, sharesWithinPage: false }, recorder(calls));
    fill(table, 'turn 1', run(7));
    table.remove('turn 1');
    expect(fill(table, 'turn 2', run(12))).toBe(7);
    expect(calls).toEqual(['open 0']);
    // What branches off the first turn is still found, in the second.
    expect(table.matchPrefix([...run(6), 99])).toBe(4);
  });

  it('forks only for prefixes that are worth it, but goes on with any kept sequence', () => {
    const table = new SequenceTable({ ...OPTIONS, minShare: 9 });
    fill(table, 'a', run(10));
    expect(table.matchPrefix([...run(8), 99, 98])).toBe(0);
    expect(table.matchPrefix([...run(9), 99, 98])).toBe(9);
    table.remove('a');
    fill(table, 'b', run(5, 50));
    table.remove('b');
    expect(table.matchPrefix(run(8, 50))).toBe(5);
  });

  it('gives up the least recently used prefix first, from its end', () => {
    const table = new SequenceTable(OPTIONS);
    fill(table, 'old', run(24, 100));
    table.remove('old');
    fill(table, 'young', run(24, 200));
    table.remove('young');
    fill(table, 'needy', run(24, 300)); // 6 pages; 4 are unheld
    expect(table.matchPrefix([...run(24, 100), 0])).toBe(16);
    expect(table.matchPrefix([...run(24, 200), 0])).toBe(24);
  });

  it('refuses to take pages from live sequences', () => {
    const table = new SequenceTable(OPTIONS);
    fill(table, 'a', run(60));
    table.add('b', run(9, 500));
    expect(() => table.extend('b', run(9, 500), 0, 9)).toThrow(/more KV pages/);
  });

  it('moves a sequence onto what a twin has computed meanwhile', () => {
    const table = new SequenceTable(OPTIONS);
    table.add('a', run(10));
    table.add('b', run(10));
    expect(table.lateMatch('b', run(10), 9)).toBe(0);
    table.extend('a', run(10), 0, 10);
    expect(table.lateMatch('b', run(10), 9)).toBe(9);
    expect(table.rematch('b', run(10), 9)).toBe(9);
    expect(table.freePages).toBe(16 - 3 - 1);
    expect(table.rematch('b', run(10), 9)).toBe(9);
  });

  it('says which sequence is missing', () => {
    const table = new SequenceTable(OPTIONS);
    expect(() => table.extend('nobody', tokens(1), 0, 1)).toThrow(/no sequence "nobody"/);
    fill(table, 'a', run(4));
    expect(() => table.add('a', run(4))).toThrow(/"a" already/);
  });
});

function recorder(calls: string[]): KvOperations {
  return {
    open: (slot) => calls.push(`open ${slot}`),
    fork: (parent, slot, count) => calls.push(`fork ${parent}>${slot} ${count}`),
    pop: (slot, count) => calls.push(`pop ${slot} ${count}`),
    close: (slot) => calls.push(`close ${slot}`),
  };
}

/** A cache that holds every sequence's tokens in full, on pages: what the table must agree with. */
class Model implements KvOperations {
  readonly tokens = new Map<number, number[]>();
  /** Pages are objects; who shares one has the same. */
  readonly #pages = new Map<number, object[]>();

  get pages(): number {
    return new Set([...this.#pages.values()].flat()).size;
  }

  open(slot: number) {
    if (this.tokens.has(slot)) throw new Error('opened twice');
    this.tokens.set(slot, []);
    this.#pages.set(slot, []);
  }

  append(slot: number, tokens: readonly number[]) {
    const held = this.tokens.get(slot) ?? [];
    const pages = this.#pages.get(slot) ?? [];
    held.push(...tokens);
    while (pages.length * 4 < held.length) pages.push({});
  }

  fork(parent: number, slot: number, count: number) {
    if (this.tokens.has(slot)) throw new Error('forked onto a sequence');
    const from = this.tokens.get(parent);
    if (from === undefined || from.length < count) throw new Error('forked from too little');
    const pages = this.#pages.get(parent)?.slice(0, Math.floor(count / 4)) ?? [];
    this.tokens.set(slot, from.slice(0, count));
    this.#pages.set(slot, count % 4 === 0 ? pages : [...pages, {}]);
  }

  pop(slot: number, count: number) {
    const held = this.tokens.get(slot);
    if (held === undefined || held.length < count) throw new Error('popped too much');
    held.length -= count;
    const pages = this.#pages.get(slot) ?? [];
    pages.length = Math.ceil(held.length / 4);
    const last = pages.at(-1);
    const sharers = [...this.#pages.values()].filter((other) => other.includes(last ?? {}));
    if (held.length % 4 !== 0 && sharers.length > 1) throw new Error('popped into a shared page');
  }

  close(slot: number) {
    if (!this.tokens.delete(slot)) throw new Error('closed twice');
    this.#pages.delete(slot);
  }
}

const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      seed: fc.nat(5),
      group: fc.constantFrom(undefined, 'one', 'two'),
      length: fc.integer({ min: 1, max: 24 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('extend' as const),
      who: fc.nat(7),
      by: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), who: fc.nat(7) }) },
);

describe('SequenceTable, whatever happens', () => {
  it('conserves pages, agrees with a cache that follows it, and finds the longest prefix', () => {
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 80 }),
        fc.boolean(),
        fc.boolean(),
        (actions, sharesWithinPage, trims) => {
          const cache = new Model();
          const table = new SequenceTable({ ...OPTIONS, sharesWithinPage, trims }, cache);
          const live = new Map<string, number[]>();
          const groups = new Map<string, string | undefined>();
          /** By slot, of the kept ones too. */
          const owners = new Map<number, string | undefined>();
          let names = 0;
          const pick = (who: number) => [...live.keys()][who % Math.max(1, live.size)];
          // Prompts are drawn from few families, so that prefixes are often shared.
          const prompt = (seed: number, length: number) =>
            Array.from({ length }, (_, i) => (i < 6 ? 1 : i < 14 ? (seed >> 1) + 2 : seed + 10));
          for (const a of actions) {
            if (a.do === 'add') {
              if (live.size >= OPTIONS.maxSequences) continue;
              const ids = prompt(a.seed, a.length);
              const longest = Math.max(
                0,
                ...[...cache.tokens].map(([slot, held]) => {
                  if (owners.get(slot) !== a.group) return 0;
                  let n = 0;
                  while (n < held.length && n < ids.length - 1 && held[n] === ids[n]) n++;
                  return n;
                }),
              );
              // In whole pages, or all of it: where a kept sequence is gone on with, or a copy
              // within a page is to be trusted (and there is a page for it).
              const whole = longest < 4 ? 0 : longest;
              const matched = table.matchPrefix(ids, a.group);
              expect(sharesWithinPage ? [whole] : [whole, whole - (whole % 4)]).toContain(matched);
              const id = `s${names++}`;
              const cached = table.add(id, ids, a.group);
              groups.set(id, a.group);
              expect([matched, matched - (matched % 4)]).toContain(cached);
              live.set(id, ids.slice(0, cached));
            } else if (live.size === 0) {
              continue;
            } else if (a.do === 'extend') {
              const id = pick(a.who);
              const held = live.get(id) ?? [];
              const ids = [
                ...held,
                ...Array.from({ length: a.by }, (_, i) => (i + held.length) % 3),
              ];
              const needed = Math.ceil(ids.length / 4) - Math.ceil(held.length / 4);
              if (needed > table.freePages) {
                expect(() => table.extend(id, ids, held.length, ids.length)).toThrow();
                continue;
              }
              table.extend(id, ids, held.length, ids.length);
              cache.append(table.slotOf(id), ids.slice(held.length));
              live.set(id, ids);
            } else {
              const id = pick(a.who);
              table.remove(id);
              live.delete(id);
            }

            // Late matches change where a sequence's tokens are, never what they are.
            for (const [id, held] of [...live].slice(0, 1)) {
              const wanted = [...held, 1, 1, 1, 1, 1, 1];
              const gain = table.lateMatch(id, wanted, wanted.length);
              const computed = table.rematch(id, wanted, wanted.length);
              expect(computed).toBeLessThanOrEqual(held.length + gain);
              live.set(id, wanted.slice(0, computed));
            }

            // Every live sequence is in the cache as it should be, whatever was given up.
            for (const [id, held] of live) {
              owners.set(table.slotOf(id), groups.get(id));
              expect(cache.tokens.get(table.slotOf(id))).toEqual(held);
              expect(table.computed(id)).toBe(held.length);
            }
            expect(cache.tokens.size).toBe(table.liveSequences + table.keptSequences);
            expect(table.keptSequences).toBeLessThanOrEqual(OPTIONS.maxKept);
            const held = table.freePages - table.cachedPages;
            expect(held).toBe(table.unheldPages);
            expect(table.unheldPages).toBe(OPTIONS.totalPages - cache.pages);
          }
          for (const id of live.keys()) table.remove(id);
          expect(table.freePages).toBe(OPTIONS.totalPages);
          table.clearKept();
          expect(table.unheldPages).toBe(OPTIONS.totalPages);
          expect(cache.tokens.size).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
