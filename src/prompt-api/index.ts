/**
 * Chrome's `LanguageModel`, on Tempo.
 *
 * @module tempo-llm/prompt-api
 */
export { type InstallSettings, installLanguageModel } from './install';
export { createLanguageModel } from './language-model';
export type * from './types';
