/**
 * The server itself, for Node and tests (`createTempo({ host })`), and for workers of one's own (`serve`).
 *
 * @module tempo-llm/server
 */
// What crosses between a page and its server.

export {
  type Clock,
  type EventListener,
  type IsMine,
  TempoServer,
  type TempoServerOptions,
} from '../server';
export type {
  ChatSubmission,
  EmbeddingResult,
  EmbeddingSubmission,
  Outcome,
  ProgramStart,
  Receipt,
  RequestEvent,
  Submission,
  TempoHost,
  TextSubmission,
} from './protocol';
export { serve } from './serve';
