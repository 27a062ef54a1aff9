import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopStrings } from './stop-strings';

/** What comes out for each piece, and at the end. */
function stream(stops: readonly string[], pieces: readonly string[]) {
  const strings = new StopStrings(stops);
  const deltas = pieces.map((piece) => strings.push(piece));
  return { deltas: [...deltas, strings.finish()], stopped: strings.stopped };
}

describe('stop strings', () => {
  it('end the text where they begin', () => {
    expect(stream(['###'], ['one ### two'])).toEqual({ deltas: ['one ', ''], stopped: '###' });
  });

  it('are found across pieces, and nothing of them slips out', () => {
    const { deltas, stopped } = stream(['<|im_end|>'], ['Hi', ' <', '|im', '_end', '|>', 'more']);
    expect(deltas).toEqual(['Hi', ' ', '', '', '', '', '']);
    expect(stopped).toBe('<|im_end|>');
  });

  it('hold back only what could become one', () => {
    const { deltas, stopped } = stream(['STOP'], ['S', 'ST', 'OK ', 'STO']);
    expect(deltas).toEqual(['', 'S', 'STOK ', '', 'STO']);
    expect(stopped).toBeUndefined();
  });

  it('end at the earliest of several', () => {
    expect(stream(['world', 'lo'], ['hello world'])).toEqual({
      deltas: ['hel', ''],
      stopped: 'lo',
    });
  });

  it('may be empty, or none', () => {
    expect(stream([], ['a', 'b']).deltas).toEqual(['a', 'b', '']);
    expect(stream([''], ['a']).deltas).toEqual(['a', '']);
  });

  it('give the same text however it is cut into pieces', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(text, stops, fc.array(fc.nat(30), { maxLength: 8 }), (whole, list, cuts) => {
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length];
        at.sort((a, b) => a - b);
        const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end));
        const found = list
          .filter(Boolean)
          .map((stop) => whole.indexOf(stop))
          .filter((i) => i >= 0);
        const expected = whole.slice(0, Math.min(whole.length, ...found));
        const { deltas, stopped } = stream(list, pieces);
        // Seen at once, the earliest stop wins; seen piece by piece, the first to be complete.
        const text = deltas.join('');
        expect(whole.startsWith(text)).toBe(true);
        expect(stopped !== undefined).toBe(found.length > 0);
        if (found.length === 0) expect(text).toBe(whole);
        else expect(text.length).toBeGreaterThanOrEqual(expected.length);
      }),
    );
  });
});
