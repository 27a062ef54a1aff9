/** The entry of the grammar worker, which the worker that serves a page starts beside itself. */
import { serveGrammars } from './grammar-host';
import type { GrammarPort } from './messages';

declare const self: object;

if ('DedicatedWorkerGlobalScope' in globalThis) serveGrammars(self as GrammarPort);
