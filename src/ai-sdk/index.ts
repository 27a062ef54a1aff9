/**
 * A provider for Vercel's AI SDK, of its specification V4 (`ai` 7).
 *
 * @module tempo-llm/ai-sdk
 */
export { createTempoProvider } from './provider';
export type { TempoProviderOptions } from './provider-options';
export type { TempoProvider, TempoProviderSettings } from './types';
