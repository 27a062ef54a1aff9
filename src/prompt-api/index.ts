/** The package's `./prompt-api`: Chrome's `LanguageModel`, on Tempo. */
export { type InstallSettings, installLanguageModel } from './install';
export { createLanguageModel } from './language-model';
export type * from './types';
