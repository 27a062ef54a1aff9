/** Strings of a language that mean nothing. */
import type { Random } from '../../scheduler';
import type { NameSet } from '../sampling/grammar/json/name-set';
import { after, mayEnd, type StringState, startOf } from '../sampling/grammar/json/string-place';
import { hasText, type Language, type Texts } from '../sampling/schema/texts';
import { fillerText } from './filler-text';

const SHORT = 3;
const LONG = 24;
/** Characters beyond those that a string needs. */
const MORE = 12;

/** What a string is made of where it may be: letters and digits, then what else is printed. */
const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyz0123456789', (one) => one.charCodeAt(0));
const PRINTABLE = Array.from({ length: 95 }, (_, i) => 32 + i);

const below = (random: Random, count: number) => Math.floor(random() * count);

/** The beginning of a sentence: `least` to `most` characters, few where it may be. */
function words(random: Random, least: number, most: number): string {
  const length = Math.min(Math.max(least, LONG), most);
  const text = fillerText(below(random, 2 ** 31), length).slice(0, length);
  const end = text.lastIndexOf(' ');
  return end >= Math.max(least, SHORT) ? text.slice(0, end) : text;
}

/** A text of a language: words where it holds such. */
export function madeUpText(language: Language, random: Random): string {
  const sentence = words(random, language.min, language.max);
  if (hasText(language, sentence)) return sentence;
  return written(startOf(language, undefined), random) ?? '';
}

/** A name that has not been used; undefined where none is found. */
export function madeUpName(names: Texts, used: NameSet, random: Random): string | undefined {
  if (names.kind === 'words') {
    const left = names.words.filter((name) => used.with(name) !== used);
    return left[below(random, left.length)];
  }
  return written(startOf(names, used), random);
}

/** Character by character, to the first end that comes after a while. */
function written(start: StringState, random: Random): string | undefined {
  const { dfa, min } = start;
  const length = Math.max(min, dfa.shortest[dfa.start]) + below(random, MORE);
  let state = start;
  let text = '';
  for (;;) {
    if (mayEnd(state) && (text.length >= length || random() < 0.05)) return text;
    const next = step(state, random, text.length > length);
    if (next === undefined) return mayEnd(state) ? text : undefined;
    text += String.fromCodePoint(next.code);
    state = next.state;
  }
}

/** A character that may come; `isLong`: one that brings the end nearer. */
function step(
  from: StringState,
  random: Random,
  isLong: boolean,
): { code: number; state: StringState } | undefined {
  const { dfa } = from;
  const usual = [LETTERS, PRINTABLE, dfa.alphabet.representatives()];
  for (const codes of usual) {
    const ways = codes.flatMap((code) => {
      const state = after(from, code);
      return state === undefined ? [] : [{ code, state }];
    });
    const near = ways.filter(({ state }) => dfa.shortest[state.state] < dfa.shortest[from.state]);
    const open = isLong ? near : ways;
    if (open.length > 0) return open[below(random, open.length)];
  }
  return isLong ? step(from, random, false) : undefined;
}
