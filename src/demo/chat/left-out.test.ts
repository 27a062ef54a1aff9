import { describe, expect, it } from 'vitest';
import { leftOut } from './left-out';

/** Questions at every second place; those from `from` on have so many tokens each. */
const sizes = (...tokens: number[]) => {
  const questions = tokens.map((_, i) => 2 * i);
  const fits = async (from: number) => tokens.slice(from / 2).reduce((a, b) => a + b, 0) <= 100;
  return leftOut(questions, fits);
};

describe('what is left out of a conversation', () => {
  it('is nothing while all of it fits', async () => {
    expect(await sizes()).toBe(0);
    expect(await sizes(40)).toBe(0);
    expect(await sizes(40, 30, 30)).toBe(0);
  });

  it('is as few of the oldest turns as can be', async () => {
    expect(await sizes(40, 30, 31)).toBe(2);
    expect(await sizes(40, 40, 40, 40, 40)).toBe(6);
    expect(await sizes(99, 1, 1)).toBe(2);
  });

  it('is never the last question, however long it is', async () => {
    expect(await sizes(500)).toBe(0);
    expect(await sizes(10, 500)).toBe(2);
  });

  it('is a question that was too long itself, once there is another', async () => {
    expect(await sizes(500, 20)).toBe(2);
  });
});
