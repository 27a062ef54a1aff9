/** The colours that policies are drawn in; what has none of its own is quiet. */
const TONES = [
  'tempo',
  'tempo-oracle',
  'bound',
  'jitserve',
  'qlm',
  'edf',
  'sarathi',
  'fcfs',
  'webllm',
];

export function toneOf(policy: string): string {
  return TONES.includes(policy) ? policy : 'other';
}
