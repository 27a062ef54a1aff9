/** The package's `./ai-sdk`: a provider for Vercel's AI SDK, of its specification V4 (`ai` 7). */
export { createTempoProvider } from './provider';
export type { TempoProviderOptions } from './provider-options';
export type { TempoProvider, TempoProviderSettings } from './types';
