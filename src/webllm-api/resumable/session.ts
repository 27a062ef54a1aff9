/** A generation that is kept, so that it can be gone on with after a crash. */
import type { ChatCompletionParams } from '../../client';
import type { Asked } from '../chat-answers';
import type { ResumeProbeResult, ResumeResult } from '../engine-types';
import type { Piece } from '../piece';

/** What is known of it from the beginning, and how it ended. */
export interface Session {
  sessionId: string;
  createdAtMs: number;
  modelId: string;
  /** As Tempo was asked it, with a seed: the same tokens follow from it. */
  params: ChatCompletionParams & { stream: true };
  /** Its caller wanted a stream. */
  streamed: boolean;
  /** What the answer was to tell. */
  asked: Asked;
  durabilityMode: 'exact' | 'relaxed';
  strictPersistence: boolean;
  /** Absent while it runs, and where it broke off. */
  end?: SessionEnd;
}

export type SessionEnd =
  | { kind: 'finished' }
  /** It was interrupted. */
  | { kind: 'aborted' }
  | { kind: 'failed'; message: string };

/** What was told of it at once. */
export type Entry = Pick<Piece, 'text' | 'calls' | 'tokens' | 'promptTokens'>;

/** All of a session. */
export interface KeptSession {
  session: Session;
  entries: readonly Entry[];
}

export function tokensOf({ entries }: KeptSession): number[] {
  return entries.flatMap(({ tokens }) => tokens);
}

export function probe(kept: KeptSession): ResumeProbeResult {
  const { sessionId, modelId, end } = kept.session;
  const finished = isWhole(kept);
  return {
    sessionId,
    resumable: !finished,
    reason: reasonOf(end),
    modelId,
    ...lengthsOf(kept),
    recoveryMode: finished ? 'none' : 'token_replay',
  };
}

/** What is kept, and not gone on with. */
export function textOnly(kept: KeptSession): ResumeResult {
  return {
    sessionId: kept.session.sessionId,
    recoveredText: textOf(kept),
    ...lengthsOf(kept),
    replayedTokens: 0,
    recoveryMode: 'text_only',
  };
}

/** What was gone on with, whole; so many of its tokens were computed again. */
export function resumed(kept: KeptSession, replayedTokens: number): ResumeResult {
  return { ...textOnly(kept), replayedTokens, recoveryMode: 'token_replay' };
}

/** It ended by itself: there is nothing to go on with. */
export function isWhole({ session }: KeptSession): boolean {
  return session.end?.kind === 'finished';
}

function textOf({ entries }: KeptSession): string {
  return entries.map(({ text }) => text).join('');
}

function lengthsOf(kept: KeptSession): { emittedTokens: number; processedSeqLen: number } {
  const emittedTokens = tokensOf(kept).length;
  const prompt = Math.max(0, ...kept.entries.map(({ promptTokens }) => promptTokens));
  return { emittedTokens, processedSeqLen: prompt + emittedTokens };
}

/** In WebLLM's words. */
function reasonOf(end: SessionEnd | undefined): string {
  if (end === undefined) return 'generation incomplete';
  if (end.kind === 'failed') return `engine error: ${end.message}`;
  return `generation ${end.kind}`;
}
