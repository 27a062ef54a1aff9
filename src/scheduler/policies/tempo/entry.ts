import type { PolicyAbout, PolicyEntry } from '../entry';
import { tempo } from '.';

export const entry: PolicyEntry = { name: 'tempo', make: tempo };

export const about: PolicyAbout = {
  origin: 'this project',
  line: 'Serves what is due and earns most; whoever is ahead of schedule waits.',
  order: 'no slack first, then first due',
  words: {
    decodes: 'Nothing else could run: the oldest goes on',
    reads: 'Nothing else could run: the oldest goes on',
    waits: 'Others were due before it',
    pauses: 'Others were due before it',
    unhurried: 'No place is left over for it',
  },
};
