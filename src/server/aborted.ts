import { TempoError } from '../scheduler';

/** What a request ends with that its caller gave up. */
export function aborted(): TempoError {
  return new TempoError('aborted', 'The request was aborted by its caller.');
}
