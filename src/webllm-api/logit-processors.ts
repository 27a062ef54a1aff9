import type { LogitProcessor } from './config-types';
import { WebLLMError } from './errors';

/** Throws `unsupported` where there is a processor in the registry. */
export function refuseProcessors(registry: Map<string, LogitProcessor> | null | undefined): void {
  if (!registry?.size) return;
  throw new WebLLMError(
    'FeatureSupportError',
    'unsupported',
    'A LogitProcessor is a function, which cannot go to the worker that draws the tokens. Use logit_bias, or a response_format (a grammar, a schema).',
    { param: 'logitProcessorRegistry' },
  );
}
