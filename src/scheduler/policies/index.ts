/** Every policy by name, each in a file of its own. */
import { TempoError } from '../errors';
import type { Policy } from '../policy';
import { fcfs } from './fcfs';
import { isPolicyName, POLICY_NAMES, type PolicyName } from './names';
import { sarathi } from './sarathi';
import { tempo } from './tempo';
import { webllm } from './webllm';

export * from './names';

const POLICIES: Record<PolicyName, () => Policy> = { webllm, fcfs, sarathi, tempo };

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
