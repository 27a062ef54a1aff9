/**
 * WebLLM's API on Tempo, for code that was written for `@mlc-ai/web-llm`.
 *
 * @module tempo-llm/webllm
 */

export * from './artifacts';
export * from './cache';
export type * from './chat-types';
export type * from './completion-types';
export * from './config-types';
export type * from './embedding-types';
export type * from './engine-types';
export * from './extension';
export * from './integrity';
export type { LogLevel } from './log';
export type { CustomRequestParams, WorkerRequest, WorkerResponse } from './messages';
export { CreateMLCEngine, MLCEngine } from './mlc-engine';
export * from './prebuilt';
export * from './service-worker';
export * from './worker-engine';
export * from './worker-handler';
