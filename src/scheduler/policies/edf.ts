import type { Policy } from '../policy';
import type { PolicyAbout, PolicyEntry } from './entry';
import { serveLowest } from './queue';

export const entry: PolicyEntry = {
  name: 'edf',
  make: edf,
};

export const about: PolicyAbout = {
  origin: 'earliest deadline first',
  line: 'Whatever is due first goes first, even when it cannot be in time any more.',
  order: 'first due first',
  goesBy: 'due',
  source: 'Liu and Layland, JACM 1973',
};

/**
 * Earliest deadline first (Liu and Layland, "Scheduling Algorithms for Multiprogramming in a
 * Hard-Real-Time Environment", JACM 1973, section 7), preemptive at every step. A stream's deadline
 * is its next token's; a program's member has its program's. Deadlines already missed are not
 * forgotten: the rule has no notion of overload.
 */
export function edf(): Policy {
  return {
    name: 'edf',
    plan(view, builder) {
      serveLowest((request) => request.nextDueMs, view, builder);
    },
  };
}
