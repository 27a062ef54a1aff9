import { type SampledToken, TempoError } from '../../scheduler';
import { Distribution } from './distribution';
import { processLogits } from './logits';
import type { SequenceSampling } from './sequence-sampling';

/**
 * Draws tokens on the CPU. One per engine: it owns the scratch memory, sequences own their state.
 *
 * What is drawn depends on the row of logits, the sequence's parameters and its own past only. At
 * temperature 0 it is the likeliest token (the lowest id of several), as MLCEngine's is.
 */
export class Sampler {
  readonly #distribution: Distribution;

  constructor(vocabSize: number) {
    this.#distribution = new Distribution(vocabSize);
  }

  /**
   * The next token of `sequence`, which is told nothing: call its `accept` once the token stands.
   * `logits` is one row and is changed in place; `bitmask` is the sequence's matcher's.
   * Throws engine_failed where no token can be drawn.
   *
   * Log probabilities are of the distribution that is drawn from, after penalties and temperature
   * and before top_k and top_p, as WebLLM's are; at temperature 0, where its are all 0 or -Infinity, they are
   * those of temperature 1. Masked tokens are left out of the likeliest.
   */
  sample(logits: Float32Array, sequence: SequenceSampling, bitmask?: Int32Array): SampledToken {
    processLogits(logits, sequence, bitmask);
    const { temperature, topP, topK, topLogprobs } = sequence.params;
    const best = argmax(logits);
    if (sequence.greedy && topLogprobs === undefined) return { token: best };

    const distribution = this.#distribution;
    distribution.fit(logits, logits[best], sequence.greedy ? 1 : temperature);
    const token = sequence.greedy ? best : distribution.draw(topP, sequence.uniform, topK);
    if (topLogprobs === undefined) return { token };
    return {
      token,
      logprob: distribution.logprob(token),
      topLogprobs: largest(logits, topLogprobs).map((id) => ({
        token: id,
        logprob: distribution.logprob(id),
      })),
    };
  }
}

/** The largest logit's index; of several, the lowest. Throws engine_failed where there is none. */
function argmax(logits: Float32Array): number {
  let best = -1;
  let max = -Infinity;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] > max) {
      max = logits[i];
      best = i;
    }
  }
  if (best < 0 || max === Infinity) {
    throw new TempoError(
      'engine_failed',
      'No token can be drawn: every logit is masked or not a number.',
    );
  }
  return best;
}

/** Ids of the `count` largest logits that are not masked, largest first. */
function largest(logits: Float32Array, count: number): number[] {
  const ids: number[] = [];
  if (count === 0) return ids;
  let floor = -Infinity;
  for (let i = 0; i < logits.length; i++) {
    if (!(logits[i] > floor)) continue;
    let at = ids.length;
    while (at > 0 && logits[ids[at - 1]] < logits[i]) at--;
    ids.splice(at, 0, i);
    if (ids.length > count) ids.pop();
    if (ids.length === count) floor = logits[ids[count - 1]];
  }
  return ids;
}
