/** Every policy by name, each in a file of its own. */
import { TempoError } from '../errors';
import type { Policy } from '../policy';
import { fcfs } from './fcfs';
import { sarathi } from './sarathi';
import { tempo } from './tempo';
import { webllm } from './webllm';

const POLICIES = { webllm, fcfs, sarathi, tempo } satisfies Record<string, () => Policy>;

export type PolicyName = keyof typeof POLICIES;

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

export function isPolicyName(name: string): name is PolicyName {
  return Object.hasOwn(POLICIES, name);
}

/** A fresh policy. Throws `unknown_policy`. */
export function createPolicy(name: string): Policy {
  if (!isPolicyName(name)) {
    throw new TempoError(
      'unknown_policy',
      `There is no policy "${name}". Use one of ${POLICY_NAMES.join(', ')}.`,
      { param: 'policy' },
    );
  }
  return POLICIES[name]();
}
