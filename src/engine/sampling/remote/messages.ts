/** What an engine's thread and its grammar worker say to each other. */
import type { GrammarSpec, TempoErrorJson } from '../../../scheduler';
import type { GrammarVocabulary } from '../grammar/vocabulary';

/** One end of the line between them: a worker, its global scope, or a MessagePort. */
export interface GrammarPort {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(
    type: 'message' | 'messageerror' | 'error' | 'close',
    listener: (event: Event) => void,
  ): void;
  /** A MessagePort is silent before. */
  start?(): void;
  /** Ends a worker. */
  terminate?(): void;
  /** Closes a MessagePort. */
  close?(): void;
}

/** To the worker. `id` numbers checks and matchers, in one count. */
export type GrammarOrder =
  /** Some more of the vocabulary's token texts. */
  | { type: 'tokens'; tokens: string[] }
  /** That was all of them; `shared`: masks are to come in shared memory. */
  | ({ type: 'vocabulary'; shared: boolean } & Omit<GrammarVocabulary, 'tokens'>)
  | { type: 'check'; id: number; spec: GrammarSpec }
  /** Nobody waits for that check any more. */
  | { type: 'cancel'; id: number }
  /** A matcher that stands after `generated`. */
  | { type: 'open'; id: number; spec: GrammarSpec; generated: Int32Array }
  /** Its next token. */
  | { type: 'accept'; id: number; token: number }
  | { type: 'close'; id: number }
  /** Are you there? */
  | { type: 'ping' };

/** From the worker. */
export type GrammarReply =
  /** It runs. */
  | { type: 'ready' }
  | { type: 'checked'; id: number }
  /** What became of a check, of opening a matcher, or of its next mask. */
  | { type: 'failed'; id: number; error: TempoErrorJson }
  /** What may come next at a matcher: the answer to `open` and to `accept`. */
  | MaskReply
  | { type: 'pong' };

export interface MaskReply {
  type: 'mask';
  id: number;
  /** The mask's number. One that was sent before comes without its words. */
  mask: number;
  words?: Int32Array;
  /** A mask that is never to be sent by its number again. */
  forget?: number;
  /** The answer is over. */
  terminated: boolean;
}
