/** From a row of logits to the next token: penalties, masks, draws, grammars. */
export * from './after-reasoning';
export * from './check';
export * from './grammar-matcher';
export * from './grammars';
export * from './json-schema';
export * from './logits';
export * from './sampler';
export * from './sequence-sampling';
export { patternToGrammar } from './string-pattern';
export * from './token-counts';
