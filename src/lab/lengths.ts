import type { Random } from '../scheduler';
import { drawQuantile, type Quantiles } from './distribution';

/** Prompt and output lengths of one kind of service, in tokens. */
export interface LengthModel {
  prompt: Quantiles;
  output: Quantiles;
}

const AT = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];

/**
 * Chat: a production conversation service. Quantiles of the Azure LLM inference trace 2023,
 * "conversation" (Patel et al., Splitwise, ISCA 2024; CC-BY). The two lengths are independent
 * there (correlation of the logarithms 0.04).
 */
export const CHAT: LengthModel = {
  prompt: {
    at: AT,
    values: [2, 40, 181, 247, 390, 407, 972, 1035, 1081, 1140, 1317, 4075, 4086, 4122, 14050],
  },
  output: {
    at: AT,
    values: [7, 16, 38, 50, 71, 88, 102, 141, 213, 393, 405, 428, 463, 613, 1000],
  },
};

/** Summaries of papers: arXiv summarization, as processed for the Vidur simulator (MIT). */
export const SUMMARY: LengthModel = {
  prompt: {
    at: AT,
    values: [1, 55, 711, 1173, 1792, 2135, 2450, 2704, 2963, 3223, 3445, 3682, 3799, 3932, 4054],
  },
  output: {
    at: AT,
    values: [11, 31, 61, 78, 104, 126, 147, 166, 192, 222, 273, 376, 802, 3360, 4056],
  },
};

export function drawLengths(
  model: LengthModel,
  random: Random,
): { promptTokens: number; outputTokens: number } {
  return {
    promptTokens: drawQuantile(model.prompt, random),
    outputTokens: drawQuantile(model.output, random),
  };
}
