import { sentences } from './chunk';

const COMMON = new Set(
  'the a an and or but of to in on at by for with as is are was were be been it its that this these those from not no so than then they them their there he his she her one which who when where what into out up down more most less only all each any some would could can may had has have do does did'.split(
    ' ',
  ),
);

/**
 * The `count` sentences whose words turn up most in the text, in their order: what the simulated
 * engine says instead of a summary, so that it at least is about the text.
 */
export function extract(text: string, count: number): string {
  const words = (part: string) =>
    (part.toLowerCase().match(/\p{L}{3,}/gu) ?? []).filter((word) => !COMMON.has(word));
  const frequency = new Map<string, number>();
  for (const word of words(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  return sentences(text)
    .filter((sentence) => sentence.trim() !== '')
    .map((sentence, at) => {
      const own = words(sentence);
      const sum = own.reduce((total, word) => total + (frequency.get(word) ?? 0), 0);
      return { sentence: sentence.trim(), at, score: sum / (own.length + 4) };
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .sort((a, b) => a.at - b.at)
    .map(({ sentence }) => sentence)
    .join(' ');
}
