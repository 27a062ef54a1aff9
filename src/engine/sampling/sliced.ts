import type { Pace } from './pace';

/** Work that may rest wherever it yields. */
export type Sliced<T> = Generator<undefined, T>;

/** Steps of a walk between two rests. */
export const REST_EVERY = 256;

/** Does all of it at once. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Does it in slices, between which everything else has its turn. */
export async function inSlices<T>(work: Sliced<T>, pace: Pace): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (pace.due) await pace.rest();
  }
}
