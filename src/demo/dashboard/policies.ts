import { POLICY_NAMES, type PolicyName } from '../../client';

/** The ones that tell the story; the others are in a list beside them. */
export const MAIN_POLICIES = ['tempo', 'sarathi', 'fcfs', 'webllm'] as const;

export const OTHER_POLICIES: readonly PolicyName[] = POLICY_NAMES.filter(
  (name) => !MAIN_POLICIES.some((main) => main === name),
);
