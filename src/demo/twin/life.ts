import type { PolicyName } from '../../client';
import { reasonWords } from '../../dashboard/reasons';
import type { Moment, Span, StepHistory } from '../../dashboard/step-history';

/** A stretch of a request's life in which it did not run, and why. */
interface Idle {
  kind: 'waited' | 'paused';
  ms: number;
  /** The commonest reason, in words. */
  because: string;
}

/** What can be told of one request on one side. */
export interface Life {
  app: string;
  stage: string;
  policy: PolicyName | undefined;
  /** How long ago it arrived, ms. */
  agoMs: number;
  /** ms from arrival; undefined while it has not happened. */
  firstTokenMs: number | undefined;
  endMs: number | undefined;
  dueMs: number | undefined;
  /** In all, ms. */
  lateMs: number;
  met: boolean | undefined;
  idle: readonly Idle[];
  generatedTokens: number;
  /** One for each time that there is one. */
  moments: readonly LifeMoment[];
}

export interface LifeMoment {
  /** ms from arrival */
  atMs: number;
  generatedTokens: number;
  /** How long the answer was expected to be in all, tokens. */
  expectedTokens: number | undefined;
  slackMs: number | undefined;
  /** KV pages that it had. */
  pages: number;
}

/** Tokens of a KV page. */
const PAGE_TOKENS = 16;

export function lifeOf(history: StepHistory, id: string): Life | undefined {
  const span = history.span(id);
  if (span === undefined) return undefined;
  const { startMs, endMs, firstDueMs, moments } = span;
  const first = moments.find(({ generatedTokens }) => generatedTokens > 0);
  const nowMs = endMs ?? history.atMs;
  return {
    app: span.app,
    stage: span.stage,
    policy: moments.at(-1)?.policy,
    agoMs: history.atMs - startMs,
    firstTokenMs: first && first.atMs - startMs,
    endMs: endMs === undefined ? undefined : endMs - startMs,
    dueMs: firstDueMs === undefined ? undefined : firstDueMs - startMs,
    lateMs: span.late.reduce((sum, { fromMs, untilMs = nowMs }) => sum + untilMs - fromMs, 0),
    met: span.met,
    idle: (['waiting', 'paused'] as const).flatMap((state) => idleOf(span, state, nowMs)),
    generatedTokens: moments.at(-1)?.generatedTokens ?? 0,
    moments: moments.map((moment) => ({
      atMs: moment.atMs - startMs,
      generatedTokens: moment.generatedTokens,
      expectedTokens:
        moment.remainingTokens === undefined
          ? undefined
          : moment.generatedTokens + moment.remainingTokens,
      slackMs: moment.slackMs,
      pages: moment.state === 'waiting' ? 0 : Math.ceil(moment.computedTokens / PAGE_TOKENS),
    })),
  };
}

function idleOf(span: Span, state: 'waiting' | 'paused', nowMs: number): Idle[] {
  let ms = 0;
  for (const [i, stretch] of span.states.entries()) {
    if (stretch.state === state) ms += (span.states[i + 1]?.fromMs ?? nowMs) - stretch.fromMs;
  }
  if (ms < 1) return [];
  return [{ kind: state === 'waiting' ? 'waited' : 'paused', ms, because: reason(span, state) }];
}

/** Why it did not run, most of the time. */
function reason({ moments }: Span, state: Moment['state']): string {
  const counts = new Map<string, number>();
  for (const moment of moments) {
    const { line, policy } = moment;
    if (moment.state !== state || line === undefined || line.chosen) continue;
    const { requestId, app, chosen, tokens, reason } = line;
    const words = reasonWords({ policy, line: { requestId, app, chosen, tokens, reason } });
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most?.[0] ?? '';
}
