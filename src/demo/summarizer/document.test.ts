import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunk, sentences } from './chunk';
import {
  createDocument,
  type Document,
  isDone,
  nextPart,
  type Part,
  partCounts,
  settled,
  summaryOf,
  withPart,
  withSummary,
} from './document';
import { extract } from './extract';

const paragraph = (n: number) =>
  `Paragraph ${n} tells of tides. ${'It goes on and on. '.repeat(20)}`;
const long = Array.from({ length: 12 }, (_, n) => paragraph(n)).join('\n\n');

/** A half of a character that is written with two. */
const LONE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** Summarizes every piece by its first sentence. */
function finish(document: Document): { document: Document; calls: number } {
  let calls = 0;
  for (let next = nextPart(document); next; next = nextPart(document)) {
    const { level, at } = next;
    const summary = document.levels[level][at].text.slice(0, 30);
    document = withPart(document, level, at, { state: 'done', summary });
    calls++;
  }
  return { document, calls };
}

describe('cutting a text', () => {
  it('loses nothing, in pieces within the limit', () => {
    const pieces = chunk(long, 1000);
    expect(Math.max(...pieces.map((p) => p.length))).toBeLessThanOrEqual(1000);
    expect(pieces.join('')).toBe(long);
    expect(chunk('x'.repeat(2500), 1000).map((p) => p.length)).toEqual([1000, 1000, 500]);
    expect(chunk('!'.repeat(1200), 1000).map((p) => p.length)).toEqual([1000, 200]);
    expect(chunk('  \n\n ', 1000)).toEqual([]);
  });

  it('cuts between paragraphs, sentences, words, in that order', () => {
    const words = 'Ebb and flow go on. '.repeat(3);
    expect(chunk(`${words}\n\n${words}`, 80)).toEqual([`${words}\n\n`, words]);
    expect(chunk(words, 50)).toEqual(['Ebb and flow go on. '.repeat(2), 'Ebb and flow go on. ']);
    expect(chunk('ebb and flow go on', 9)).toEqual(['ebb and ', 'flow go ', 'on']);
    expect(chunk('潮が満ちる。潮が引く。', 8)).toEqual(['潮が満ちる。', '潮が引く。']);
  });

  it('never cuts a character in two', () => {
    expect(chunk('😀'.repeat(600), 999).every((piece) => /^(😀)+$/u.test(piece))).toBe(true);
    const family = '👩‍👩‍👧‍👦';
    expect(chunk(family.repeat(20), 30).join('|')).toBe(
      `${Array.from({ length: 10 }, () => family.repeat(2)).join('|')}`,
    );
  });

  it('joins to the text again, whatever it is', () => {
    const part = fc.oneof(
      fc.constantFrom('\n', '\n\n', ' ', '. ', '!', '?"', '...', '😀', '\u200d', 'e\u0301', '\r\n'),
      fc.string({ unit: 'binary', maxLength: 6 }),
    );
    const text = fc.array(part, { maxLength: 120 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 40 }), (whole, limit) => {
        const pieces = chunk(whole, limit);
        if (whole.trim() !== '') expect(pieces.join('')).toBe(whole);
        for (const piece of pieces) {
          expect(piece.length).toBeLessThanOrEqual(limit);
          expect(piece).not.toBe('');
          if (!LONE.test(whole)) expect(piece).not.toMatch(LONE);
        }
        expect(sentences(whole).join('')).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a document', () => {
  it('of which the model says nothing has failed, until it is taken up again', () => {
    const begun = createDocument('a', 'A', long, true);
    const empty = withSummary(begun, 0, 1, { content: ' \n', simulated: false });
    expect(empty.error).toMatchObject({ code: 'engine_failed' });
    expect(nextPart(empty)).toBeUndefined();
    const taken = settled({ ...empty, error: undefined });
    const said = withSummary(taken, 0, 0, { content: ' Tides. ', simulated: false });
    expect(said.levels[0][0]).toMatchObject({ state: 'done', summary: 'Tides.' });
    expect(nextPart(said)).toEqual({ level: 0, at: 1 });
  });

  it('that came to nothing before is summarized again', () => {
    const begun = createDocument('a', 'A', long, true);
    const done = begun.levels[0].map((part): Part => ({ ...part, state: 'done', summary: '' }));
    const stuck = { ...begun, levels: [done, []] };
    expect(nextPart(stuck)).toBeUndefined();
    expect(nextPart(settled(stuck))).toEqual({ level: 0, at: 0 });
  });

  it('has no piece of white space alone', () => {
    const { levels } = createDocument('a', 'A', `One.${' '.repeat(3000)}Two.`, true);
    expect(levels[0].map(({ text }) => text.trim())).toEqual(['One.', 'Two.']);
  });

  it('is summarized level by level until one piece is left', () => {
    const { document, calls } = finish(createDocument('a', 'A', long, true));
    expect(isDone(document)).toBe(true);
    expect(summaryOf(document)).toMatch(/^Paragraph 0/);
    expect(document.levels.length).toBe(2);
    expect(partCounts(document)).toEqual({ done: calls, total: calls });
  });

  it('ends even when summaries are as long as their texts', () => {
    let document = createDocument('a', 'A', long, true);
    let calls = 0;
    for (let next = nextPart(document); next && calls < 100; next = nextPart(document)) {
      const { level, at } = next;
      const { text } = document.levels[level][at];
      document = withPart(document, level, at, { state: 'done', summary: text });
      calls++;
    }
    expect(isDone(document)).toBe(true);
  });

  it('takes up what was under way after a reload', () => {
    const started = withPart(createDocument('a', 'A', long, true), 0, 0, { state: 'active' });
    expect(nextPart(started)).toEqual({ level: 0, at: 1 });
    expect(nextPart(settled(started))).toEqual({ level: 0, at: 0 });
  });
});

describe('the script’s summary', () => {
  it('is never nothing', () => {
    for (const text of ['!'.repeat(1000), '\n\n.', '潮が満ちる', 'a', `${' '.repeat(500)}?!`]) {
      expect(extract(text, 2).trim()).not.toBe('');
    }
  });

  it('is made of the text’s own sentences, in order', () => {
    const text = 'Moss holds water. A cat slept. Water keeps the moss alive, and moss keeps water.';
    expect(extract(text, 2)).toBe(
      'Moss holds water. Water keeps the moss alive, and moss keeps water.',
    );
  });
});
