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
});
