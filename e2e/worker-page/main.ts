/** The client as a page of its own has it: nothing but the public module, within a test's reach. */
import * as library from '../../src/client';

declare global {
  var client: typeof library;
  /** The test's own. */
  var tempo: library.Tempo;
}

globalThis.client = library;
