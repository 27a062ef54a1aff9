import type { Tempo, TempoOptions } from '../client';
import { QuotaExceededError } from './errors';
import { createLanguageModel } from './language-model';
import type { LanguageModelSettings } from './types';

export interface InstallSettings extends LanguageModelSettings {
  /** Also where the browser has a `LanguageModel` of its own. Default false. */
  force?: boolean | null;
}

/**
 * Puts `createLanguageModel`'s class on `globalThis`, so that pages written for Chrome's find it there, and
 * `QuotaExceededError` beside it where the browser has none. Returns whether it did: where the browser has
 * a `LanguageModel`, that stays, unless `force`.
 */
export function installLanguageModel(
  tempo: Tempo | TempoOptions,
  settings?: InstallSettings | null,
): boolean {
  const { force, ...rest } = settings ?? {};
  const LanguageModel = createLanguageModel(tempo, rest);
  if ('LanguageModel' in globalThis && !force) return false;
  define('LanguageModel', LanguageModel);
  if (!('QuotaExceededError' in globalThis)) define('QuotaExceededError', QuotaExceededError);
  return true;
}

/** As the platform's interfaces are defined. */
function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}
