import { TempoError } from '../worker/protocol';
import { checked, invalid, refuse } from './checked';

/** What a call that its signal ended throws: a timeout is told from an abort, as the platform does. */
export function ended(signal: AbortSignal): TempoError {
  const { reason } = signal;
  return reason instanceof DOMException && reason.name === 'TimeoutError'
    ? new TempoError('timeout', 'The call took longer than its signal allows.', { cause: reason })
    : new TempoError('aborted', 'The call was aborted by its signal.', { cause: reason });
}

/** Throws `invalid_request` for options that are none or unknown, and for what is given as a signal and is none. */
export function signalOf(
  options: { signal?: AbortSignal | null } | null | undefined,
): AbortSignal | undefined {
  const { signal, ...rest } = checked(options ?? {});
  refuse(rest);
  if (signal === undefined || signal === null) return undefined;
  if (typeof signal.addEventListener === 'function') return signal;
  throw invalid('signal must be an AbortSignal.', 'signal');
}

/** What everything throws after `dispose`. */
export function disposed(): TempoError {
  return new TempoError('disposed', 'This Tempo was disposed. Create a new one.');
}
