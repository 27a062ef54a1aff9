import { POLICY_NAMES, type PolicyName, policyNamed, shown, TempoError } from '../../scheduler';
import type { Reader } from './fields';

/** A policy's name, or another under which it is published. */
export const policyName: Reader<PolicyName> = (value, at) => {
  const name = policyNamed(value);
  if (name !== undefined) return name;
  throw new TempoError(
    'unknown_policy',
    `There is no policy ${shown(value)}. Use one of ${POLICY_NAMES.join(', ')}.`,
    { param: at },
  );
};
