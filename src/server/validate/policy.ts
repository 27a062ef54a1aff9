import { isPolicyName, POLICY_NAMES, type PolicyName, shown, TempoError } from '../../scheduler';
import type { Reader } from './fields';

export const policyName: Reader<PolicyName> = (value, at) => {
  if (isPolicyName(value)) return value;
  throw new TempoError(
    'unknown_policy',
    `There is no policy ${shown(value)}. Use one of ${POLICY_NAMES.join(', ')}.`,
    { param: at },
  );
};
