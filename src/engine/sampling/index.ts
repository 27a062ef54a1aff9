/** From a row of logits to the next token: penalties, masks, draws, grammars. */
export * from './after-reasoning';
export * from './check';
export type * from './grammars';
export * from './logits';
export * from './sampler';
export * from './sequence-sampling';
export * from './structural-format';
export * from './token-counts';
