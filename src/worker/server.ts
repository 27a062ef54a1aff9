/**
 * The server itself, for Node and tests (`createTempo({ host })`), and for workers of one's own (`serve`).
 *
 * @module tempo-llm/server
 */
export {
  type Clock,
  type EventListener,
  type IsMine,
  TempoServer,
  type TempoServerOptions,
} from '../server';
export { serve } from './serve';
