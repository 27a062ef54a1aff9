import { type Random, seededRandom } from '../scheduler';
import { type ArrivalPattern, arrivalTimes } from './arrivals';
import { drawLengths, type LengthModel } from './lengths';
import { type TraceOptions, workloadOfTrace } from './trace-workload';
import type { TraceRow } from './traces';
import type { Workload } from './workload';

const AT = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];

/**
 * Three kinds of requests to a model that thinks aloud before it answers, fitted to the clients of
 * DeepSeek-R1 that ServeGen models (alibaba/ServeGen, Apache-2.0; Xiang et al., arXiv 2505.09999): bare
 * questions are thought about for longest; prompts of one template; questions about documents.
 */
const KINDS: readonly { share: number; lengths: LengthModel }[] = [
  {
    share: 0.24,
    lengths: {
      prompt: {
        at: AT,
        values: [4, 5, 6, 8, 11, 16, 25, 35, 49, 65, 91, 121, 144, 222, 238],
      },
      output: {
        at: AT,
        values: [
          55, 295, 484, 632, 879, 1051, 1250, 1493, 1967, 3507, 5467, 9116, 12343, 15331, 15892,
        ],
      },
    },
  },
  {
    share: 0.393,
    lengths: {
      prompt: {
        at: AT,
        values: [240, 251, 257, 258, 260, 262, 263, 264, 265, 267, 269, 272, 275, 279, 279],
      },
      output: {
        at: AT,
        values: [112, 174, 230, 268, 319, 376, 436, 499, 588, 733, 947, 1371, 1770, 2876, 8869],
      },
    },
  },
  {
    share: 0.367,
    lengths: {
      prompt: {
        at: AT,
        values: [
          280, 281, 292, 435, 545, 792, 1026, 1233, 1581, 3653, 6177, 9378, 11661, 16111, 30432,
        ],
      },
      output: {
        at: AT,
        values: [55, 167, 220, 263, 383, 570, 700, 802, 921, 1095, 1334, 1675, 1924, 2906, 6513],
      },
    },
  },
];

/**
 * Arrivals of the same clients: gaps a little more uneven than Poisson's, at a rate that is another one,
 * by a ninth, every 256 requests (a minute, there).
 */
export const REASONING_ARRIVALS: ArrivalPattern = {
  kind: 'swelling',
  variation: 1.05,
  swell: 0.11,
  every: 256,
};

/** Requests of a reasoning model: long answers with a heavy tail. Classes and objectives are given as a trace's are. */
export function reasoningWorkload(options: TraceOptions): Workload {
  const random = seededRandom(options.seed);
  const rows = reasoningRequests(options.requests, options.pattern ?? REASONING_ARRIVALS, random);
  return workloadOfTrace({ kind: 'requests', rows }, 'reasoning', options, random);
}

/** `count` requests, on average 1 ms apart. */
export function reasoningRequests(
  count: number,
  pattern: ArrivalPattern,
  random: Random,
): TraceRow[] {
  const rows = Array.from({ length: count }, () => drawLengths(kindAt(random()), random));
  const times = arrivalTimes(count, pattern, random);
  return rows.map((row, i) => ({ ...row, atMs: times[i] }));
}

/** The kind that `u`, uniform in [0, 1), falls to. */
function kindAt(u: number): LengthModel {
  let left = u;
  for (const { share, lengths } of KINDS) {
    if (left < share) return lengths;
    left -= share;
  }
  return KINDS[KINDS.length - 1].lengths;
}
