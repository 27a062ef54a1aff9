import { DEAD, type Dfa } from '../language/dfa';
import { complementOf, EVERY_TEXT, intersection } from '../language/languages';
import type { Pace } from '../pace';

/** A set of strings: a few words, or those of a language within bounds. */
export type Texts = Words | Language;

export interface Words {
  readonly kind: 'words';
  readonly words: readonly string[];
}

export interface Language {
  readonly kind: 'language';
  readonly dfa: Dfa;
  /** Code points; `max` may be Infinity. */
  readonly min: number;
  readonly max: number;
  /** Words that are not in it. */
  readonly except: ReadonlySet<string>;
}

const NO_WORDS: ReadonlySet<string> = new Set();

export const ALL_TEXTS: Language = {
  kind: 'language',
  dfa: EVERY_TEXT,
  min: 0,
  max: Infinity,
  except: NO_WORDS,
};

/** A lone surrogate has no spelling in UTF-8: such words are left out. */
export function words(list: Iterable<string>): Words {
  return { kind: 'words', words: [...new Set(list)].filter(isWellFormed) };
}

export function language(dfa: Dfa, min = 0, max = Infinity): Language {
  return { kind: 'language', dfa, min, max, except: NO_WORDS };
}

export function isAllTexts(texts: Texts): boolean {
  return (
    texts.kind === 'language' &&
    texts.dfa.isEverything &&
    texts.min === 0 &&
    texts.max === Infinity &&
    texts.except.size === 0
  );
}

export function hasText(texts: Texts, text: string): boolean {
  if (texts.kind === 'words') return texts.words.includes(text);
  const length = lengthOf(text);
  return (
    length >= texts.min && length <= texts.max && !texts.except.has(text) && texts.dfa.has(text)
  );
}

export async function intersectTexts(a: Texts, b: Texts, pace: Pace): Promise<Texts> {
  if (a === b || isAllTexts(b)) return a;
  if (isAllTexts(a)) return b;
  if (a.kind === 'words' || b.kind === 'words') {
    const [few, other] = a.kind === 'words' ? [a, b] : b.kind === 'words' ? [b, a] : [a, b];
    if (few.kind !== 'words') return few;
    const others = other.kind === 'words' ? new Set(other.words) : undefined;
    pace.spend(few.words.length);
    return words(few.words.filter((word) => others?.has(word) ?? hasText(other, word)));
  }
  const dfa = await intersection(a.dfa, b.dfa, pace);
  return prepared(
    {
      kind: 'language',
      dfa,
      min: Math.max(a.min, b.min),
      max: Math.min(a.max, b.max),
      except: a.except.size === 0 ? b.except : new Set([...a.except, ...b.except]),
    },
    pace,
  );
}

/** Makes a language ready to be walked. */
export async function prepared(texts: Language, pace: Pace): Promise<Texts> {
  const { dfa, min, max } = texts;
  if (dfa.isEmpty || min > max) return words([]);
  if (min > dfa.shortest[dfa.start] && max < Infinity && max < dfa.longest[dfa.start]) {
    await dfa.prepareLengths(max, pace);
  }
  return texts;
}

/** All texts but these. */
export function allBut(list: Iterable<string>): Language {
  return { ...ALL_TEXTS, except: new Set(list) };
}

/** What is not in a set, as sets that may overlap. */
export async function complementTexts(texts: Texts, pace: Pace): Promise<Texts[]> {
  if (texts.kind === 'words') return [allBut(texts.words)];
  const { dfa, min, max, except } = texts;
  const rest: Texts[] = [];
  const others = await complementOf(dfa, pace);
  if (!others.isEmpty) rest.push(language(others));
  if (min > 0) rest.push(language(EVERY_TEXT, 0, min - 1));
  if (max < Infinity) rest.push(language(EVERY_TEXT, max + 1));
  if (except.size > 0) rest.push(words(except));
  return rest;
}

export function isEmptyTexts(texts: Texts): boolean {
  return countTexts(texts, 1) === 0;
}

/** How many there are, counted up to `limit`. */
export function countTexts(texts: Texts, limit: number): number {
  if (texts.kind === 'words') return Math.min(limit, texts.words.length);
  const { dfa, min, max, except } = texts;
  if (dfa.start === DEAD) return 0;
  let excluded = 0;
  for (const word of except) {
    const length = lengthOf(word);
    if (length >= min && length <= max && dfa.has(word)) excluded++;
  }
  return Math.max(0, dfa.count(dfa.start, min, max, limit + excluded) - excluded);
}

/** Code points. */
function lengthOf(text: string): number {
  let length = text.length;
  for (let i = 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xdc00 && unit < 0xe000 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) length--;
  }
  return length;
}

export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) return false;
    if (code > 0xffff) i++;
  }
  return true;
}
