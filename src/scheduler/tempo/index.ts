/** The parts of the tempo policy's thinking; `policies/tempo.ts` puts them together. */
export * from './demand-bound';
export * from './fair-share';
export * from './job';
export * from './knowledge';
export * from './options';
export * from './pace';
export * from './step';
export * from './waiting-index';
