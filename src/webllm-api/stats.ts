import type { CompletionUsage } from './chat-types';
import { perSecond } from './usage';

/** Tokens and time of the calls since it began: what `runtimeStatsText` tells. */
export class RuntimeStats {
  #prefillTokens = 0;
  #prefillMs = 0;
  #decodeTokens = 0;
  #decodeMs = 0;

  add({ prompt_tokens: prompt, completion_tokens: completion, extra }: CompletionUsage): void {
    const decoded = Math.max(0, completion - 1);
    this.#prefillTokens += prompt;
    this.#prefillMs += 1000 * extra.time_to_first_token_s - (extra.queued_ms ?? 0);
    this.#decodeTokens += decoded;
    this.#decodeMs += 1000 * extra.time_per_output_token_s * decoded;
  }

  /** In WebLLM's format. */
  toString(): string {
    const prefill = perSecond(this.#prefillTokens, this.#prefillMs).toFixed(4);
    const decoding = perSecond(this.#decodeTokens, this.#decodeMs).toFixed(4);
    return `prefill: ${prefill} tokens/sec, decoding: ${decoding} tokens/sec`;
  }
}
