import type { Policy } from '../policy';

/** Tokens a step may hold, decodes included: Sarathi-Serve's token budget. */
export const SARATHI_TOKEN_BUDGET = 512;

/**
 * Sarathi-Serve: stall-free batching. Every running decode goes first; what is left of a fixed token
 * budget takes chunks of prompts, those already begun before new ones, in order of arrival
 * (Agrawal et al., "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
 * OSDI '24, section 4.2, algorithm 3).
 */
export function sarathi(tokenBudget = SARATHI_TOKEN_BUDGET): Policy {
  return {
    name: 'sarathi',
    plan(view, builder) {
      for (const request of view.resident) if (request.decoding) builder.add(request, 'in-order');
      let left = tokenBudget - builder.batch;
      for (const requests of [view.resident, view.waiting]) {
        for (const request of requests) {
          if (request.resident && request.decoding) continue;
          if (left < 1 || builder.batch >= builder.maxBatch) return;
          const taken = builder.add(request, 'in-order', {}, { maxTokens: left });
          if (taken === 0) return;
          left -= taken;
        }
      }
    },
  };
}
