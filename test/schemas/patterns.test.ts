/** Patterns, against JavaScript's own regular expressions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patternLanguage } from '../../src/engine/sampling/language/languages';
import { TooComplex } from '../../src/engine/sampling/language/too-complex';
import { Pace } from '../../src/engine/sampling/pace';

/** As zod 4 has it: a label's length and the whole one's, each by itself. */
const HOSTNAME =
  '^(?=.{1,253}\\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\\.?$';

const part = fc.constantFrom('a', 'b', '[ab]', '.', '\\d', 'a{1,2}', '(?:ab|1)*', 'b+', 'a?');
const run = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
const lookahead = fc
  .tuple(fc.constantFrom('=', '!'), fc.constantFrom('', '.*'), run, fc.constantFrom('', '$'))
  .map(([kind, before, inner, end]) => `(?${kind}${before}${inner}${end})`);
const pattern = fc
  .tuple(
    fc.constantFrom('^', '^', ''),
    fc.array(lookahead, { minLength: 1, maxLength: 3 }),
    fc.oneof(
      run,
      fc.tuple(run, lookahead, run).map((parts) => parts.join('')),
    ),
    fc.constantFrom('', '$', '|b$'),
  )
  .map(([start, lookaheads, rest, end]) => `${start}${lookaheads.join('')}${rest}${end}`);
const text = fc
  .array(fc.constantFrom('a', 'b', '1', 'ab'), { maxLength: 5 })
  .map((parts) => parts.join(''));

describe('a pattern with lookaheads', () => {
  it('is found where JavaScript finds it', async () => {
    await fc.assert(
      fc.asyncProperty(
        pattern,
        fc.array(text, { minLength: 12, maxLength: 12 }),
        async (source, texts) => {
          const language = await patternLanguage(source, new Pace(Infinity));
          const expression = new RegExp(source, 'u');
          for (const one of texts) {
            expect(!language.isEmpty && language.has(one), `${source} in ${one}`).toBe(
              expression.test(one),
            );
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is cheap where they stand at its start: zod’s hostname takes a tenth of what a pattern may', async () => {
    const language = await patternLanguage(HOSTNAME, new Pace(100_000));
    const label = 'a'.repeat(63);
    const texts = ['a-b.example.', 'x', '-a', 'a..b', `${label}.b`, `${label}a.b`];
    texts.push(`${`${label}.`.repeat(3)}${'b'.repeat(61)}`, `${`${label}.`.repeat(4)}b`);
    for (const one of texts)
      expect(language.has(one), one).toBe(new RegExp(HOSTNAME, 'u').test(one));
  });
});

it('a pattern without hope takes no more than it may', async () => {
  for (const hopeless of ['(a|b)*a(a|b){20}', '^(((a?){50}){50}){50}$', '^(.*a.{12}){3}$']) {
    await expect(patternLanguage(hopeless, new Pace(100_000))).rejects.toBeInstanceOf(TooComplex);
  }
});
