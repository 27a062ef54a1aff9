/** Joins one scheduler to one engine, and speaks OpenAI's chat completions. In a worker, a page, or Node. */
export type { Clock } from '../scheduler';
export * from './engines';
export * from './host';
export * from './server';
