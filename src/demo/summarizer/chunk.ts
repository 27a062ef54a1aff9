/**
 * Cuts a text into pieces of at most `limit` characters: between paragraphs where it can, else
 * between sentences, else wherever it must.
 */
export function chunk(text: string, limit: number): string[] {
  const pieces: string[] = [];
  let current = '';
  for (const unit of units(text, limit)) {
    if (current !== '' && current.length + unit.length > limit) {
      pieces.push(current.trim());
      current = '';
    }
    current += unit;
  }
  if (current.trim() !== '') pieces.push(current.trim());
  return pieces;
}

function* units(text: string, limit: number): Generator<string> {
  for (const paragraph of text.split(/(?<=\n)\s*\n/)) {
    if (paragraph.trim() === '') continue;
    if (paragraph.length + 1 <= limit) {
      yield `${paragraph.trim()}\n`;
      continue;
    }
    for (const sentence of sentences(paragraph)) {
      for (let at = 0; at < sentence.length; at += limit) yield sentence.slice(at, at + limit);
    }
  }
}

/** A text's sentences, each with the space after it. */
export function sentences(text: string): string[] {
  return text.match(/[^.!?]+[.!?]+["”’)]*\s*|[^.!?]+$/g) ?? [];
}
