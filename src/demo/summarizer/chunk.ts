/** Where a text is best cut, from the best to the least: after a paragraph, a sentence, a word. */
const CUTS = [/\n\s*\n/g, /[.!?]+["”’)\]]*\s+|[。！？]+["”’」』）]*|\n/g, /\s+/g];

/**
 * Cuts a text into pieces of at most `limit` characters, which joined are the text again: between
 * paragraphs where it can, else between sentences, else between words, else wherever it must, but never
 * within a character. A text of white space alone has no pieces.
 */
export function chunk(text: string, limit: number): string[] {
  if (text.trim() === '') return [];
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > limit) {
    const end = cutIn(rest, limit);
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  pieces.push(rest);
  return pieces;
}

/** The best place to end the first piece of a text that is longer than the limit. */
function cutIn(text: string, limit: number): number {
  const window = text.slice(0, limit);
  for (const kind of CUTS) {
    const last = [...window.matchAll(kind)].at(-1);
    const end = last === undefined ? 0 : last.index + last[0].length;
    // A short piece is not worth a call.
    if (end > limit / 2) return end;
  }
  return wholeCharacters(text, limit);
}

/** The most of a text's beginning that ends with a character as readers see it, or with half of a very long one. */
function wholeCharacters(text: string, limit: number): number {
  // The character that goes on beyond the limit, and not all of a long text.
  const near = text.slice(0, limit + 64);
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter().segment(near)) {
    if (index + segment.length > limit) break;
    end = index + segment.length;
  }
  if (end > 0) return end;
  const splitsPair = /[\uD800-\uDBFF]/.test(text[limit - 1]) && /[\uDC00-\uDFFF]/.test(text[limit]);
  return splitsPair && limit > 1 ? limit - 1 : limit;
}

/** A text's sentences, each with the space after it; joined they are the text. */
export function sentences(text: string): string[] {
  return text.match(/[^.!?]*[.!?]+["”’)]*\s*|[^.!?]+$/g) ?? [];
}
