/** What a test has within its reach. */
import * as own from './parts';

declare global {
  var parts: typeof own;
}

globalThis.parts = own;
