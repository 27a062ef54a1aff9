import type { Policy } from '../policy';
import { serveToCompletion, TOKEN_BUDGET } from './queue';

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
