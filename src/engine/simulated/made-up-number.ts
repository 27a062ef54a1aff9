import type { Random } from '../../scheduler';
import { isComplete, isPrefix } from '../sampling/schema/number-text';
import { hasNumber, type Numbers } from '../sampling/schema/numbers';

/** Numbers without a bound are so far from the other at most. */
const REACH = 100;
const TRIES = 20;

/** A number of a set: one with few digits, where such are found. */
export function madeUpNumber(numbers: Numbers, random: Random): number {
  const { min, max, values, multiples, whole } = numbers;
  if (values !== undefined) return values[Math.floor(random() * values.length)];
  const low = min > -Infinity ? min : Math.min(0, max - REACH);
  const high = Math.min(max, low + REACH);
  const [divisor = whole === true ? 1 : 0.01] = multiples;
  for (let i = 0; i < TRIES; i++) {
    const between = low + (high - low) * random();
    const digits = Math.max(0, -Math.floor(Math.log10(divisor)));
    const value = Number((Math.round(between / divisor) * divisor).toFixed(Math.min(20, digits)));
    if (hasNumber(numbers, value)) return value === 0 ? 0 : value;
  }
  return written(numbers, random);
}

/** Digit by digit. */
function written(numbers: Numbers, random: Random): number {
  let text = '';
  for (;;) {
    const next = [...'0123456789.-e+'].filter((character) => isPrefix(numbers, text + character));
    const isEnd = next.length === 0 || (isComplete(numbers, text) && random() < 0.3);
    if (isEnd) return Number(text);
    text += next[Math.floor(random() * next.length)];
  }
}
