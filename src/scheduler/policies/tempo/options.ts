import type { Tuning } from './tuning';

/** What the policy is made of, by the name under which it is left out. */
export const RULES = [
  'prediction',
  'graph-matching',
  'just-enough',
  'elastic-batch',
  'admission',
  'deadline-order',
  'critical-first',
  'eviction',
  'light-apps',
] as const;

export type Rule = (typeof RULES)[number];

/** What can be switched off to see what it earns, and what can be tuned. */
export interface TempoOptions {
  /** Rules that are left out. */
  without?: readonly Rule[];
  /** Numbers that are other than `tuning` has them. */
  tuning?: Partial<Tuning>;
  /** Weight per app for fair sharing; absent: all are alike. */
  weights?: Readonly<Record<string, number>>;
}
