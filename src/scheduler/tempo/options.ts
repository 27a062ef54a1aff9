/** What can be switched off to see what it earns (ablations), and what can be tuned. */
export interface TempoOptions {
  /** Off: every request is taken to run to its max_tokens. */
  prediction?: boolean;
  /** Off: a program's current stage is taken to be its last. */
  graphMatching?: boolean;
  /** Off: streams are served as fast as can be, and not only as their objective needs. */
  justEnough?: boolean;
  /** Off: a step takes as many sequences as fit, whatever that does to the tightest TBT in it. */
  elasticBatch?: boolean;
  /** Weight per app for fair sharing (VTC counters); absent: gain alone decides. */
  weights?: Readonly<Record<string, number>>;
}
