import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sorted } from './sorted';

describe('Sorted', () => {
  it('holds the least key first, ties in order of arrival, whatever is put, moved and removed', () => {
    const moves = fc.array(fc.tuple(fc.nat(30), fc.nat(50)), { maxLength: 60 });
    fc.assert(
      fc.property(moves, (steps) => {
        const sorted = new Sorted<{ order: number }>();
        const items = Array.from({ length: 31 }, (_, order) => ({ order }));
        const keys = new Map<{ order: number }, number>();
        for (const [at, key] of steps) {
          if (key % 7 === 0) {
            sorted.remove(items[at]);
            keys.delete(items[at]);
          } else {
            sorted.put(items[at], key);
            keys.set(items[at], key);
          }
        }
        const expected = [...keys].sort(([a, one], [b, two]) => one - two || a.order - b.order);
        expect(sorted.length).toBe(keys.size);
        expect(sorted.first(100)).toEqual(expected.map(([item]) => item));
      }),
    );
  });

  it('tells who comes up to a key, how many come before, and what one weighs, among thousands', () => {
    const sorted = new Sorted<{ order: number }>();
    const items = Array.from({ length: 3000 }, (_, order) => ({ order }));
    // Each key three times, in no order.
    const keyOf = ({ order }: { order: number }) => (order * 7919) % 1000;
    for (const item of items) sorted.put(item, item.order, 1);
    for (const item of items) sorted.put(item, keyOf(item), 2);
    expect(sorted.length).toBe(3000);
    expect(sorted.meanWeight).toBe(2);
    expect(sorted.first(10_000, 1).map(keyOf)).toEqual([0, 0, 0, 1, 1, 1]);
    const [, , , , last] = sorted.first(5, 1);
    expect(sorted.before(last, 1)).toBe(4);
    expect(sorted.before(last, 500.5)).toBe(3 * 501);
    for (const item of items) sorted.remove(item);
    expect(sorted.first(1)).toEqual([]);
  });
});
