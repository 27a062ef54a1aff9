import { createPolicy, type Policy, TempoError } from '../scheduler';
import { RULES, type TempoOptions, tempo, tuning } from '../scheduler/policies/tempo';
import { tempoOracle } from '../scheduler/policies/tempo-oracle';
import type { Workload } from './workload';

/**
 * What can be switched off, by the name of its flag: the policy's rules, the sharing of prefixes, and
 * the share that best-effort work is guaranteed.
 */
export const ABLATION_NAMES: readonly string[] = [
  ...RULES.map((rule) => `no-${rule}`),
  'no-prefix-sharing',
  'no-best-effort-share',
];

/**
 * A policy as the lab runs it: `tempo`, or with parts switched off or numbers changed,
 * `tempo:no-prediction,no-just-enough,commitment=1`.
 */
export interface Variant {
  policy: Policy;
  prefixSharing: boolean;
  /** Undefined: the scheduler's own default. */
  bestEffortShare: number | undefined;
}

/** Throws `unknown_policy`, also for parts that cannot be switched off and numbers that there are not. */
export function createVariant(name: string): Variant {
  const [policyName, list] = name.split(':');
  const parts = list === undefined ? [] : list.split(',');
  const changed: Record<string, number> = {};
  for (const part of parts) {
    const [number, value] = part.split('=');
    if (value === undefined && ABLATION_NAMES.includes(part)) continue;
    if (Object.hasOwn(tuning, number) && Number.isFinite(Number(value))) {
      changed[number] = Number(value);
      continue;
    }
    throw unknown(
      `There is no ablation "${part}". Use one of ${ABLATION_NAMES.join(', ')}, or a number of tempo's: ${Object.keys(tuning).join('=, ')}=.`,
    );
  }
  const variant = {
    prefixSharing: !parts.includes('no-prefix-sharing'),
    bestEffortShare: parts.includes('no-best-effort-share') ? 0 : undefined,
  };
  const without = RULES.filter((rule) => parts.includes(`no-${rule}`));
  if (without.length === 0 && Object.keys(changed).length === 0) {
    return { policy: createPolicy(policyName), ...variant };
  }
  const options: TempoOptions = { without, tuning: changed };
  if (policyName === 'tempo') return { policy: tempo(options), ...variant };
  if (policyName === 'tempo-oracle') return { policy: tempoOracle(options), ...variant };
  throw unknown(
    `Only tempo and tempo-oracle have these parts to switch off, ${policyName} has not.`,
  );
}

function unknown(message: string): TempoError {
  return new TempoError('unknown_policy', message, { param: 'policy' });
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
