/** A model that knows nothing: it writes any token its grammar allows, and ends when it gets long. */
import { type Random, seededRandom } from '../../scheduler';
import type { GrammarMatcher } from '../sampling/grammars';
import { SMALL_VOCABULARY, STOP, wordsOf } from './small-vocabulary';

const TOKENS = Array.from({ length: SMALL_VOCABULARY.vocabSize }, (_, token) => token);
/** Whole characters, and no bytes of longer ones unless the grammar insists. */
const isText = (token: number) => token <= 128 || token > 256;

/** The text, or undefined where it did not come to an end. */
export async function writeAtRandom(
  matcher: GrammarMatcher,
  seed: number,
  length = 60,
): Promise<string | undefined> {
  const random = seededRandom(seed);
  const written: number[] = [];
  while (!matcher.terminated && written.length < 40 * length) {
    const mask = matcher.nextBitmask();
    const allowed = TOKENS.filter((token) => (mask[token >> 5] >>> (token & 31)) & 1);
    const text = allowed.filter(isText);
    const token = choose(text.length > 0 ? text : allowed, written.length > length, random);
    if (!matcher.accept(token)) throw new Error(`${token} was allowed and then refused`);
    written.push(token);
  }
  return matcher.terminated ? wordsOf(written.slice(0, -1)) : undefined;
}

function choose(allowed: readonly number[], isLong: boolean, random: Random): number {
  const pick = (tokens: readonly number[]) => tokens[Math.floor(random() * tokens.length)];
  if (isLong && allowed.includes(STOP)) return STOP;
  const closers = allowed.filter((token) => ['"', '}', ']', '":'].includes(wordsOf([token])));
  if (closers.length > 0 && (isLong || random() < 0.3)) return pick(closers);
  const plain = allowed.filter((token) => /^\w$/.test(wordsOf([token])));
  return plain.length > 0 && random() < 0.6 ? pick(plain) : pick(allowed);
}
