// Written by `npm run policies` from ./index.ts.

/** Every policy's name, apart from the policies themselves: a page lists them without loading the code. */
export const POLICY_NAMES = [
  'webllm',
  'fcfs',
  'sarathi',
  'sjf',
  'edf',
  'autellix',
  'vtc',
  'bros',
  'hygen',
  'alise',
  'qlm',
  'jitserve',
  'slidebatching',
  'slosserve',
  'scorpio',
  'niyama',
  'justitia',
  'tempo',
  'tempo-oracle',
] as const;

export type PolicyName = (typeof POLICY_NAMES)[number];

/** Other names of policies, under which they are published as well. */
export type PolicyAlias = 'agentix' | 'qoserve';

export type AnyPolicyName = PolicyName | PolicyAlias;
