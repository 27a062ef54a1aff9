/** Every number of the policy. */
export interface Tuning {
  /**
   * An answer or a program takes so many times as long as it would alone, since it waits for places and
   * prompts at each of its stages.
   */
  readonly stretch: number;
  /**
   * Steps of slack: with fewer a stream is critical, so far promises may exceed what is there, and so long
   * an appraisal is good.
   */
  readonly slackSteps: number;
  /** With fewer steps of slack than this, people wait for a first token. */
  readonly rushSteps: number;
  /** Prompt tokens that a step takes on top for them, or while nobody decodes. */
  readonly rushTokens: number;
  /** Prompt tokens that a step takes beyond those that the weights' read hides. */
  readonly calmTokens: number;
  /** A stream's prompt takes so many times the GPU time of its arithmetic: the steps that carry it are not full. */
  readonly headroom: number;
  /** A newcomer has to be so many times denser to take the place of what has been begun. */
  readonly commitment: number;
  /**
   * Quantile (0 to 1) of a program's futures that is set aside for it: programs are all or nothing, and
   * one that turns out longer than was thought loses everything.
   */
  readonly futureQuantile: number;
  /** Whose chance (0 to 1) is less is not tried for its objective any more. */
  readonly hopeless: number;
  /** Waiting jobs looked at in one plan. */
  readonly considered: number;
  /**
   * Best-effort work gets its share over every such span, ms, within which it takes its time from lulls;
   * promises are made as far ahead.
   */
  readonly shareWindowMs: number;
  /** An app's demand is weighed against its share of so much time, ms. */
  readonly appWindowMs: number;
}

/** What each is worth: `npm run bench -- ablate`, and docs/design.md. */
export const tuning: Tuning = Object.freeze({
  stretch: 2,
  slackSteps: 4,
  rushSteps: 24,
  rushTokens: 128,
  calmTokens: 16,
  headroom: 1.4,
  commitment: 1.25,
  futureQuantile: 0.9,
  hopeless: 0.1,
  considered: 64,
  shareWindowMs: 120_000,
  appWindowMs: 10_000,
});
