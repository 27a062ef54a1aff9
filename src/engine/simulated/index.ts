/** A step engine without a GPU: a documented cost model on a virtual or a real clock. */
export * from './device-profiles';
export { makingUp } from './made-up';
export * from './simulated-embedder';
export * from './simulated-engine';
export * from './simulated-executor';
