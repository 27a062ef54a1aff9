/** What happens to a row of logits before a token is drawn from it, in WebLLM's order. */
import type { SequenceSampling } from './sequence-sampling';
import type { TokenCounts } from './token-counts';

const { fround } = Math;

/**
 * In place, as WebLLM 0.2.86's `sampleFromRawLogits`: grammar bitmask, logit_bias, penalties.
 * (ignore_eos joins the bitmask: a banned token is masked.) `bitmask` is the matcher's.
 */
export function processLogits(
  logits: Float32Array,
  sequence: SequenceSampling,
  bitmask?: Int32Array,
): void {
  if (bitmask !== undefined) applyBitmask(logits, bitmask);
  ban(logits, sequence.banned);
  const { biasTokens, biases } = sequence;
  for (let i = 0; i < biasTokens.length; i++) logits[biasTokens[i]] += biases[i];
  if (sequence.penalised) {
    const { presencePenalty = 0, frequencyPenalty = 0, repetitionPenalty = 1 } = sequence.params;
    applyPenalties(logits, sequence.counts, presencePenalty, frequencyPenalty, repetitionPenalty);
  }
}

/** Tokens whose bit is clear become -Infinity. Mirrors MLC's `apply_bitmask_inplace`. */
export function applyBitmask(logits: Float32Array, bitmask: Int32Array): void {
  for (let word = 0; word < bitmask.length; word++) {
    const bits = bitmask[word];
    if (bits === -1) continue;
    const start = word * 32;
    const end = Math.min(start + 32, logits.length);
    if (bits === 0) {
      logits.fill(-Infinity, start, end);
      continue;
    }
    for (let i = start; i < end; i++) {
      if (((bits >>> (i & 31)) & 1) === 0) logits[i] = -Infinity;
    }
  }
}

/**
 * Presence and frequency are subtracted first; repetition then divides what is positive and
 * multiplies what is not. Mirrors MLC's `apply_penalty_inplace`, to the float32.
 */
export function applyPenalties(
  logits: Float32Array,
  counts: TokenCounts,
  presence: number,
  frequency: number,
  repetition: number,
): void {
  for (const [token, count] of counts) {
    const logit = fround(logits[token] - fround(presence + fround(count * frequency)));
    logits[token] = logit < 0 ? logit * repetition : logit / repetition;
  }
}

/** Masks tokens, unless nothing else is left: a finished grammar allows only the end token. */
function ban(logits: Float32Array, tokens: readonly number[]): void {
  if (tokens.length === 0) return;
  const before = tokens.map((token) => logits[token]);
  for (const token of tokens) logits[token] = -Infinity;
  if (logits.every((logit) => logit === -Infinity)) {
    tokens.forEach((token, i) => {
      logits[token] = before[i];
    });
  }
}
