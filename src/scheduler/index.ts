/** The heart: who runs next, and why. Pure TypeScript: no DOM, no GPU, no timers, no wall clock. */
export * from './clock';
export * from './cost-model';
export * from './errors';
export * from './gain';
export * from './length-predictor';
export * from './loop';
export * from './metrics';
export * from './plan';
export * from './policies';
export * from './policy';
export * from './program';
export * from './random';
export * from './request';
export * from './scheduler';
export * from './slo';
export * from './step';
