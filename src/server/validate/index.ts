/**
 * Reads what callers send, before anything is queued for it. Callers need not be TypeScript, so nothing
 * is taken for granted: a mistake is a typed error that names the field, `null` means that a field is
 * not set, a field that nobody knows is refused by its name, and one that only OpenAI's service has a
 * use for is ignored with a warning.
 */
export type { ReadChatParams } from './chat';
export type { Message } from './messages';
export * from './objective';
export type { ImageSource } from './parts';
export * from './program';
export type { ScriptedReply } from './simulated-reply';
export {
  plainSubmission,
  type ReadChatSubmission,
  type ReadSubmission,
  readParams,
  readSubmission,
} from './submission';
export type { ReadTextParams } from './text';
