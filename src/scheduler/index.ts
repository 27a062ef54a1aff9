/** The heart: who runs next, and why. Pure TypeScript: no DOM, no GPU, no timers, no wall clock. */

export * from './call-graph';
export * from './clock';
export * from './errors';
export * from './executor';
export * from './gain';
export { geometricMean } from './geometric-mean';
export { invariant } from './invariant';
export * from './keeper';
export * from './loop';
export * from './metrics';
export * from './plan';
export * from './policies';
export * from './policy';
export * from './predict/calibration';
export * from './predict/cost-model';
export * from './predict/digest';
export * from './predict/length-predictor';
export * from './predict/length-table';
export * from './predict/program-history';
export type { WaitingTimeSnapshot } from './predict/waiting-time';
export * from './program';
export * from './random';
export * from './request';
export * from './scheduler';
export * from './slo';
export * from './tally';
export * from './view';
