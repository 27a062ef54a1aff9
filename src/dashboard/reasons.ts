import type { Explanation, PolicyName, Reason, RequestTrace, Snapshot } from '../client';
import { POLICY_ORDERS } from '../scheduler/policies/about';
import { compact, seconds, signed } from './format';

/** What a plan made of a request, and what is known besides. */
export interface Case {
  policy: PolicyName;
  line: Explanation;
  /** Of a live request, for its own numbers. */
  request?: RequestTrace;
  snapshot?: Pick<Snapshot, 'atMs' | 'capacity' | 'kv' | 'plan'>;
}

/** Why a plan ran a request, or did not, in one sentence with its numbers. */
export function reasonWords(of: Case): string {
  const { reason } = of.line;
  if (reason === 'in-order') return turnWords(of);
  if (reason === 'queued') return `${queuedWords(of)}${waitedWords(of)}`;
  return WORDS[reason](of);
}

const WORDS: Record<Exclude<Reason, 'in-order' | 'queued'>, (of: Case) => string> = {
  critical: ({ line: { slackMs }, request, snapshot }) => {
    if (slackMs === undefined) return 'Little slack: not put off';
    if (slackMs < 0) return `Behind by ${span(-slackMs)}: not put off`;
    if (request?.class === 'latency' || request?.dueMs === undefined || snapshot === undefined) {
      return `Slack of only ${span(slackMs)}: not put off`;
    }
    const leftMs = Math.max(slackMs, request.dueMs - snapshot.atMs);
    return `Of ${span(leftMs)} left only ${span(slackMs)} are slack: not put off`;
  },
  'on-schedule': ({ line }) => `Admitted: can be in time beside the rest${slackWords(line)}`,
  density: ({ line }) => `In a place left over${earnsWords(line)}`,
  'fair-share': () => 'Work without a deadline is owed its share',
  hopeless: ({ line: { slackMs = 0 } }) =>
    slackMs < 0
      ? `Would be ${span(-slackMs)} late even alone: others first`
      : 'Cannot be in time any more: others first',
  'not-admitted': ({ line }) => `Would make others late${earnsWords(line)}`,
  'batch-full': ({ policy, snapshot }) => {
    const places = snapshot?.plan.filter(({ chosen }) => chosen).length;
    return `${places === undefined ? 'All' : `All ${places}`} places taken: ${POLICY_ORDERS[policy].order}`;
  },
  preparing: () => 'The grammar of its answer is being made ready',
  'sequences-full': ({ snapshot }) =>
    snapshot === undefined
      ? 'Every sequence slot is taken'
      : `All ${snapshot.capacity.maxSequences} sequence slots are taken`,
  'pages-full': ({ snapshot }) =>
    snapshot === undefined
      ? 'Too few KV pages are free'
      : `Too few KV pages are free: ${snapshot.kv.freePages} of ${snapshot.kv.totalPages}`,
  'prefill-budget': () => 'No prompt tokens left in this step',
  'step-kind': () => 'This engine cannot mix prompts and decoding',
  'tbt-guard': ({ line }) => `A longer step would make a stream late${slackWords(line)}`,
  marginal: ({ line }) => `Costs the others more than it gives${earnsWords(line)}`,
  preempted: () => 'Its pages were dropped to make room',
};

/** Its turn, in the policy's own order. */
function turnWords(of: Case): string {
  const { order, goesBy, words } = POLICY_ORDERS[of.policy];
  const own = isPrompt(of) ? words?.reads : words?.decodes;
  if (own !== undefined) return filled(own, of);
  return `${upper(order)}${goesBy === undefined ? '' : NUMBERS[goesBy](of)}`;
}

type GoesBy = NonNullable<(typeof POLICY_ORDERS)[PolicyName]['goesBy']>;

/** The number that a turn goes by, as the rest of a sentence. */
const NUMBERS: Record<GoesBy, (of: Case) => string> = {
  due: dueWords,
  'to-go': ({ line }) => toGoWords(line),
  served: servedWords,
};

/** The policy did not come to it, though the step had places. */
function queuedWords(of: Case): string {
  const { order, words } = POLICY_ORDERS[of.policy];
  const { request } = of;
  if (request?.class === 'best-effort' && words?.unhurried !== undefined) return words.unhurried;
  const waits = request === undefined || request.state === 'waiting';
  const own = waits ? words?.waits : words?.pauses;
  return own === undefined ? `No room beside: ${order}` : filled(own, of);
}

/** A policy's own sentence, with what is known put in. */
function filled(words: string, { policy, line, request }: Case): string {
  const prompt = request === undefined ? 'prompt tokens' : `${line.tokens} prompt tokens`;
  return words.replace('{prompt}', prompt).replace('{order}', POLICY_ORDERS[policy].order);
}

function isPrompt({ line, request }: Case): boolean {
  return line.tokens > 1 || request?.state === 'prefill';
}

/** `, due in 1.2 s`; of what is never due, that. */
function dueWords({ request, snapshot }: Case): string {
  if (request === undefined || snapshot === undefined) return '';
  if (request.dueMs === undefined) return '; never due';
  const leftMs = request.dueMs - snapshot.atMs;
  return leftMs < 0 ? `; due ${seconds(-leftMs)} ago` : `; due in ${seconds(leftMs)}`;
}

function toGoWords({ remainingTokens }: Explanation): string {
  return remainingTokens === undefined ? '' : `; about ${Math.round(remainingTokens)} to go`;
}

function servedWords({ request }: Case): string {
  return request === undefined ? '' : `; ${request.generatedTokens} tokens by this call`;
}

function waitedWords({ request, snapshot }: Case): string {
  if (request?.state !== 'waiting' || snapshot === undefined) return '';
  return `; waits for ${seconds(snapshot.atMs - request.arrivalMs)}`;
}

function slackWords({ slackMs }: Explanation): string {
  return slackMs === undefined ? '' : `; slack ${signed(slackMs)}`;
}

function earnsWords({ density }: Explanation): string {
  if (density === undefined || !Number.isFinite(density)) return '';
  return `; earns ${density < 10 ? density.toFixed(1) : compact(density)} per ms`;
}

/** `40 ms`, `6.7 s`. */
function span(ms: number): string {
  return signed(ms).slice(1);
}

function upper(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/** What a request is doing, in two words. */
export function stateWords(request: RequestTrace): string {
  switch (request.state) {
    case 'waiting':
      return 'waiting';
    case 'paused':
      return `paused at ${request.generatedTokens}`;
    case 'prefill':
      return `prompt ${Math.round((100 * request.computedTokens) / request.promptTokens)}%`;
    case 'decode':
      return `token ${request.generatedTokens}`;
  }
}
