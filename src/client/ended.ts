import { TempoError } from '../worker/protocol';

/** What a call that its signal ended throws: a timeout is told from an abort, as the platform does. */
export function ended(signal: AbortSignal): TempoError {
  const { reason } = signal;
  return reason instanceof DOMException && reason.name === 'TimeoutError'
    ? new TempoError('timeout', 'The call took longer than its signal allows.', { cause: reason })
    : new TempoError('aborted', 'The call was aborted by its signal.', { cause: reason });
}

/** Throws `invalid_request` for what is given as a signal and is none. */
export function checkSignal(signal: AbortSignal | null | undefined): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined;
  if (typeof signal.addEventListener === 'function') return signal;
  throw new TempoError('invalid_request', 'signal must be an AbortSignal.', { param: 'signal' });
}

/** What everything throws after `dispose`. */
export function disposed(): TempoError {
  return new TempoError('disposed', 'This Tempo was disposed. Create a new one.');
}
