import { type Outcome, TempoError } from '../worker/protocol';

/** What a host's answer holds; throws its error. */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw TempoError.fromJSON(outcome.error);
  return outcome.value;
}
