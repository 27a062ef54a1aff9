import { seededRandom } from '../../scheduler';

const SUBJECTS = ['The scheduler', 'A page', 'Each request', 'The cache', 'A program', 'The queue'];
const VERBS = ['waits for', 'shares', 'measures', 'yields to', 'keeps', 'asks for'];
const OBJECTS = [
  'its next token',
  'the same weights',
  'a little slack',
  'the nearest deadline',
  'one more step',
  'the work that is left over',
];
const ENDS = [
  'and nobody notices',
  'in good time',
  'while the others go on',
  'before it is due',
  'as long as there is room',
  'and then rests',
];

/** Readable sentences that mean little: the same for the same seed, at least `characters` long. */
export function fillerText(seed: number, characters: number): string {
  const random = seededRandom(seed);
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)];
  let text = '';
  while (text.length < characters) {
    text += `${text === '' ? '' : ' '}${pick(SUBJECTS)} ${pick(VERBS)} ${pick(OBJECTS)} ${pick(ENDS)}.`;
  }
  return text;
}
