import { createPolicy, type Policy, TempoError } from '../scheduler';
import { tempo } from '../scheduler/policies/tempo';
import { tempoOracle } from '../scheduler/policies/tempo-oracle';
import type { TempoOptions } from '../scheduler/tempo';
import type { Workload } from './workload';

/** What can be switched off, by the name of its flag. */
export const ABLATIONS = {
  'no-prediction': { prediction: false },
  'no-graph-matching': { graphMatching: false },
  'no-just-enough': { justEnough: false },
  'no-elastic-batch': { elasticBatch: false },
  /** Not the policy's: every prompt is one of a kind. */
  'no-prefix-sharing': {},
  /** Nor this: best-effort work is guaranteed nothing. */
  'no-best-effort-share': {},
} satisfies Record<string, TempoOptions>;

export type Ablation = keyof typeof ABLATIONS;

export const ABLATION_NAMES = Object.keys(ABLATIONS).filter(isAblation);

export function isAblation(name: string): name is Ablation {
  return Object.hasOwn(ABLATIONS, name);
}

/** A policy as the lab runs it: `tempo`, or with parts switched off, `tempo:no-prediction,no-just-enough`. */
export interface Variant {
  policy: Policy;
  prefixSharing: boolean;
  /** Undefined: the scheduler's own default. */
  bestEffortShare: number | undefined;
}

/** Throws `unknown_policy`, also for parts that cannot be switched off. */
export function createVariant(name: string): Variant {
  const [policyName, parts] = name.split(':');
  const ablations = parts === undefined ? [] : parts.split(',');
  const bad = ablations.find((part) => !isAblation(part));
  if (bad !== undefined) {
    throw new TempoError(
      'unknown_policy',
      `There is no ablation "${bad}". Use one of ${ABLATION_NAMES.join(', ')}.`,
      { param: 'policy' },
    );
  }
  const known = ablations.filter(isAblation);
  const rest = {
    prefixSharing: !known.includes('no-prefix-sharing'),
    bestEffortShare: known.includes('no-best-effort-share') ? 0 : undefined,
  };
  const options: TempoOptions = Object.assign({}, ...known.map((part) => ABLATIONS[part]));
  if (Object.keys(options).length === 0) return { policy: createPolicy(policyName), ...rest };
  if (policyName === 'tempo') return { policy: tempo(options), ...rest };
  if (policyName === 'tempo-oracle') return { policy: tempoOracle(options), ...rest };
  throw new TempoError(
    'unknown_policy',
    `Only tempo and tempo-oracle have these parts to switch off, ${policyName} has not.`,
    { param: 'policy' },
  );
}

/** The same workload with every prompt one of a kind. */
export function withoutPrefixes(workload: Workload): Workload {
  return {
    ...workload,
    arrivals: workload.arrivals.map((arrival) =>
      arrival.kind === 'request'
        ? { ...arrival, call: { ...arrival.call, prefix: undefined } }
        : {
            ...arrival,
            stages: arrival.stages.map((stage) => ({
              ...stage,
              calls: stage.calls.map((call) => ({ ...call, prefix: undefined })),
            })),
          },
    ),
  };
}
