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
  'tempo',
  'tempo-oracle',
] as const;

export type PolicyName = (typeof POLICY_NAMES)[number];

export function isPolicyName(name: unknown): name is PolicyName {
  return POLICY_NAMES.some((known) => known === name);
}
