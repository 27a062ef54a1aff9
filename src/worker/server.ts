/**
 * The package's `./server`: the server itself, for Node and tests (`createTempo({ host })`), and for
 * workers of one's own (`serve`).
 */
export { TempoServer, type TempoServerOptions } from '../server';
export { serve } from './serve';
