/**
 * What web developers import: several features of a page on one in-browser model.
 *
 * @module tempo-llm
 */
export type * from '../worker/protocol';
export { POLICY_NAMES, TempoError } from '../worker/protocol';
export { createTempo } from './tempo';
export type * from './types';
