import { describe, expect, it } from 'vitest';
import { chunk } from './chunk';
import {
  createDocument,
  type Document,
  isDone,
  nextPart,
  partCounts,
  settled,
  summaryOf,
  withPart,
} from './document';
import { extract } from './extract';

const paragraph = (n: number) =>
  `Paragraph ${n} tells of tides. ${'It goes on and on. '.repeat(20)}`;
const long = Array.from({ length: 12 }, (_, n) => paragraph(n)).join('\n\n');

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
  it('keeps every word, in pieces within the limit', () => {
    const words = (text: string) => text.split(/\s+/).filter(Boolean);
    const pieces = chunk(long, 1000);
    expect(Math.max(...pieces.map((p) => p.length))).toBeLessThanOrEqual(1000);
    expect(words(pieces.join(' '))).toEqual(words(long));
    expect(chunk('x'.repeat(2500), 1000).map((p) => p.length)).toEqual([1000, 1000, 500]);
    expect(chunk('  \n\n ', 1000)).toEqual([]);
  });
});

describe('a document', () => {
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
  it('is made of the text’s own sentences, in order', () => {
    const text = 'Moss holds water. A cat slept. Water keeps the moss alive, and moss keeps water.';
    expect(extract(text, 2)).toBe(
      'Moss holds water. Water keeps the moss alive, and moss keeps water.',
    );
  });
});
