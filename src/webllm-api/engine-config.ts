import type { AppConfig, InitProgressCallback } from './config-types';
import { WebLLMError } from './errors';
import { prebuiltAppConfig } from './prebuilt';

/** WebLLM's own list where none is given. Throws `invalid_request` for what has no list of models. */
export function checkedAppConfig(given: AppConfig | null | undefined): AppConfig {
  const appConfig = given ?? prebuiltAppConfig;
  if (Array.isArray(appConfig.model_list)) return appConfig;
  throw invalid('appConfig.model_list', 'must be a list of models');
}

/** Throws `invalid_request` for what cannot be called. */
export function checkedCallback(
  given: InitProgressCallback | null | undefined,
): InitProgressCallback | undefined {
  if (given === undefined || given === null || typeof given === 'function') {
    return given ?? undefined;
  }
  throw invalid('initProgressCallback', 'must be a function');
}

function invalid(param: string, words: string): WebLLMError {
  return new WebLLMError('TypeError', 'invalid_request', `${param} ${words}.`, { param });
}
