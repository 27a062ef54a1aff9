/** What web developers import: several features of a page on one in-browser model. */
export * from '../worker/protocol';
export { createTempo } from './tempo';
export type * from './types';
