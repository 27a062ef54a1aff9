import { APICallError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { TempoError } from '../worker/protocol';
import { aiError, type FailedCall } from './errors';

const CALL: FailedCall = {
  path: 'chat/completions',
  modelType: 'languageModel',
  modelId: 'm',
  body: {},
  phase: 'ready',
};

const error = (...args: ConstructorParameters<typeof TempoError>) => new TempoError(...args);

describe('a failed call', () => {
  it.each([
    [error('slo_unattainable', 'Too late.', { retryAfterMs: 737.5 }), 'ready', true],
    [error('slo_unattainable', 'Never.'), 'ready', false],
    [error('engine_lost', 'The device was lost.'), 'recovering', true],
    [error('engine_lost', 'It did not come back.'), 'failed', false],
    [error('disposed', 'The engine was replaced.'), 'loading', true],
    [error('disposed', 'This Tempo was disposed.'), 'idle', false],
    [error('engine_failed', 'The kernel failed.'), 'ready', false],
    [error('invalid_request', 'No.', { param: 'seed' }), 'ready', false],
  ] as const)('of %s in the phase %s is worth another try: %s', (thrown, phase, isRetryable) => {
    const failed = aiError(thrown, { ...CALL, phase });
    expect(failed).toBeInstanceOf(APICallError);
    expect(failed).toMatchObject({ isRetryable, statusCode: thrown.status, cause: thrown });
  });

  it('says in whole seconds, too, when to try again', () => {
    const failed = aiError(error('queue_full', 'Full.', { retryAfterMs: 1001 }), CALL);
    expect(failed).toMatchObject({
      responseHeaders: { 'retry-after-ms': '1001', 'retry-after': '2' },
    });
    expect(aiError(error('engine_failed', 'No.'), CALL)).toMatchObject({ responseHeaders: {} });
  });

  it('for what the model cannot do is UnsupportedFunctionalityError', () => {
    const failed = aiError(error('unsupported', 'It cannot.', { param: 'logprobs' }), CALL);
    expect(failed).toBeInstanceOf(UnsupportedFunctionalityError);
    expect(failed).toMatchObject({ functionality: 'logprobs', message: 'It cannot.' });
    // Nothing of the call's own: there can be no engine here.
    expect(aiError(error('unsupported', 'No workers.'), CALL)).toBeInstanceOf(APICallError);
  });

  it.each([error('aborted', 'Aborted.'), error('timeout', 'Late.'), new TypeError('a mistake')])(
    'of %s is left as it is',
    (thrown) => {
      expect(aiError(thrown, CALL)).toBe(thrown);
    },
  );
});
