/** Continuous batching on WebLLM's weights, behind `StepEngine`. */
export * from './load';
