import { TempoError } from '../client';
import { TempoDashboard } from './element';

const TAG = 'tempo-dashboard';

/**
 * Defines the dashboard under a name; one that is taken stays what it is. Where there are no custom
 * elements, on a server, it does nothing. Throws `invalid_request` for what is no such name.
 */
export function defineTempoDashboard(name: string = TAG): void {
  if (typeof customElements === 'undefined' || customElements.get(name) !== undefined) return;
  try {
    // One class, one name: each further name has a class of its own.
    customElements.define(name, name === TAG ? TempoDashboard : class extends TempoDashboard {});
  } catch (cause) {
    throw new TempoError(
      'invalid_request',
      `"${name}" cannot name a custom element: small letters, with a hyphen in it.`,
      { param: 'name', cause },
    );
  }
}
