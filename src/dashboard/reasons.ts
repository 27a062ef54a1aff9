import type { Explanation, Reason, RequestTrace } from '../client';

/** Every reason of a plan, in words for people. */
const WORDS: Record<Reason, string> = {
  critical: 'Little slack left: it goes first',
  'on-schedule': 'Next to be due',
  density: 'Earns most per GPU millisecond',
  'fair-share': 'Its guaranteed share',
  'in-order': 'Its turn, in order of arrival',
  queued: 'The policy has not come to it',
  hopeless: 'Cannot be in time any more: others first',
  'not-admitted': 'Would make admitted requests late',
  'batch-full': 'The batch is full',
  preparing: 'Its grammar is being made ready',
  'sequences-full': 'Every sequence slot is taken',
  'pages-full': 'No KV pages are free',
  'prefill-budget': 'No prompt tokens left in this step',
  'step-kind': 'This engine cannot mix prompts and decoding',
  'tbt-guard': 'A longer step would make others late',
  marginal: 'Costs the others more than it earns',
  preempted: 'Its pages were dropped to make room',
};

export function reasonWords({ reason }: Pick<Explanation, 'reason'>): string {
  return WORDS[reason];
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
