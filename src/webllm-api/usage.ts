import type { Usage } from '../client';
import type { CompletionUsage } from './chat-types';

/** Tempo's usage in WebLLM's shape, Tempo's own figures beside. */
export function usageOf(usage: Usage): CompletionUsage {
  const { completion_tokens: completion, extra } = usage;
  const { cached_tokens: cached } = usage.prompt_tokens_details;
  const prompt = usage.prompt_tokens - cached;
  const { queued_ms: queuedMs, ttft_ms: ttftMs, tbt_ms: tbtMs, ttlt_ms: ttltMs } = extra;
  return {
    completion_tokens: completion,
    prompt_tokens: prompt,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
    extra: {
      e2e_latency_s: ttltMs / 1000,
      prefill_tokens_per_s: perSecond(prompt, ttftMs - queuedMs),
      decode_tokens_per_s: perSecond(1, tbtMs),
      time_to_first_token_s: ttftMs / 1000,
      time_per_output_token_s: tbtMs / 1000,
      ...extra,
    },
  };
}

/** When a generation's tokens came, on the page's clock, ms. */
export interface Times {
  startMs: number;
  firstMs?: number;
  lastMs?: number;
}

/** The usage of a generation that was interrupted, which the server does not tell, from what has come. */
export function interruptedUsage(
  promptTokens: number,
  completion: number,
  { startMs, firstMs = startMs, lastMs = firstMs }: Times,
): CompletionUsage {
  const tbtMs = completion > 1 ? (lastMs - firstMs) / (completion - 1) : 0;
  return {
    completion_tokens: completion,
    prompt_tokens: promptTokens,
    total_tokens: promptTokens + completion,
    extra: {
      e2e_latency_s: (performance.now() - startMs) / 1000,
      prefill_tokens_per_s: perSecond(promptTokens, firstMs - startMs),
      decode_tokens_per_s: perSecond(1, tbtMs),
      time_to_first_token_s: (firstMs - startMs) / 1000,
      time_per_output_token_s: tbtMs / 1000,
    },
  };
}

/** 0 where no time went by. */
export function perSecond(tokens: number, ms: number): number {
  return ms > 0 ? (1000 * tokens) / ms : 0;
}
