import type { Explanation, PolicyName, Reason, RequestTrace, Snapshot } from '../client';
import { compact, seconds, signed } from './format';

/** What a plan made of a request, and what is known besides. */
export interface Case {
  policy: PolicyName;
  line: Explanation;
  /** Of a live request, for its own numbers. */
  request?: RequestTrace;
  snapshot?: Pick<Snapshot, 'atMs' | 'capacity' | 'kv' | 'plan'>;
}

/** Each policy's order, as the end of a sentence. */
const ORDER: Record<PolicyName, string> = {
  tempo: 'no slack first, then first due',
  'tempo-oracle': 'no slack first, then first due',
  jitserve: 'most gain per ms first, for 50 steps at a time',
  webllm: 'one at a time, in order of arrival',
  fcfs: 'new prompts first, in order of arrival',
  sarathi: 'running answers first, then prompts by arrival',
  sjf: 'shortest predicted answer first',
  edf: 'first due first',
  slidebatching: 'who cannot wait for all others first',
  autellix: 'least served program first',
  vtc: 'running answers first, then the least served app',
  bros: 'streams first while a token is about to be due',
  hygen: 'streams first, others in the time they leave',
  alise: 'shortest time to go first, less what it waited',
  qlm: 'the group of like requests that is due first',
};

/** Policies that let an answer run on once it is begun, and take prompts beside it. */
const RUN_ON: readonly PolicyName[] = ['sarathi', 'vtc', 'hygen'];

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
    return `${places === undefined ? 'All' : `All ${places}`} places taken: ${ORDER[policy]}`;
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
  const { policy, line } = of;
  const reads = isPrompt(of);
  const promptTokens = of.request === undefined ? 'prompt tokens' : `${line.tokens} prompt tokens`;
  switch (policy) {
    case 'webllm':
      return 'Has the engine to itself until it ends';
    case 'fcfs':
      if (!reads) return 'Decodes with all that run: no prompt can begin';
      return `Its ${promptTokens} go before all decoding`;
    case 'sarathi':
    case 'vtc':
      if (!reads) return 'Runs, so it gets a token in every step';
      return `Reads ${promptTokens}: ${ORDER[policy]}`;
    case 'hygen':
      return `${reads ? `Reads ${promptTokens}` : 'Runs'}: ${ORDER[policy]}`;
    case 'edf':
    case 'slidebatching':
    case 'bros':
    case 'qlm':
      return `${upper(ORDER[policy])}${dueWords(of)}`;
    case 'sjf':
    case 'alise':
      return `${upper(ORDER[policy])}${toGoWords(line)}`;
    case 'autellix':
      return `${upper(ORDER[policy])}${servedWords(of)}`;
    case 'jitserve':
      return upper(ORDER[policy]);
    case 'tempo':
    case 'tempo-oracle':
      return 'Nothing else could run: the oldest goes on';
  }
}

/** The policy did not come to it, though the step had places. */
function queuedWords({ policy, request }: Case): string {
  const waits = request === undefined || request.state === 'waiting';
  switch (policy) {
    case 'webllm':
      return 'Waits until those before it have ended';
    case 'fcfs':
      return waits
        ? 'No room for its whole prompt: no overtaking'
        : 'A new prompt has this step to itself';
    case 'tempo':
    case 'tempo-oracle':
      return request?.class === 'best-effort'
        ? 'No place is left over for it'
        : 'Others were due before it';
    default:
      return RUN_ON.includes(policy) && !waits
        ? 'The prompt tokens of this step are spent'
        : `No room beside: ${ORDER[policy]}`;
  }
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
