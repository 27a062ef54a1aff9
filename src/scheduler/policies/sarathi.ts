import type { Policy } from '../policy';
import type { PolicyAbout, PolicyEntry } from './entry';
import { serveToCompletion, TOKEN_BUDGET } from './queue';

export const entry: PolicyEntry = {
  name: 'sarathi',
  make: () => sarathi(),
};

export const about: PolicyAbout = {
  origin: 'Sarathi-Serve',
  line: 'Every reply gets a token in every step; prompts come in chunks beside them.',
  order: 'running answers first, then prompts by arrival',
  words: {
    decodes: 'Runs, so it gets a token in every step',
    reads: 'Reads {prompt}: {order}',
    pauses: 'The prompt tokens of this step are spent',
  },
  source: 'Agrawal et al., OSDI ’24, arXiv 2403.02310',
};

/**
 * Sarathi-Serve: stall-free batching. Every running decode goes first; what is left of a fixed token
 * budget takes chunks of prompts, those already begun before new ones, in order of arrival
 * (Agrawal et al., "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
 * OSDI '24, section 4.2, algorithm 3; vLLM's chunked prefill works the same way).
 */
export function sarathi(tokenBudget = TOKEN_BUDGET): Policy {
  return {
    name: 'sarathi',
    plan(view, builder) {
      serveToCompletion(view.waiting, view, builder, tokenBudget);
    },
  };
}
