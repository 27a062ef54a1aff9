import { TempoError } from '../../scheduler';
import { SequenceSampling } from '../sampling';
import type { EngineSequence } from './engine-sequence';
import type { LazyGrammars } from './lazy-grammars';

/** What a row of logits is drawn with. */
export interface Draw {
  sampling: SequenceSampling;
  /** What its grammar allows. */
  bitmask: Int32Array | undefined;
}

/**
 * Makes ready to draw a sequence's next token. A grammar that fails is the sequence's own trouble:
 * its error is returned, never thrown, so that its batch-mates go on.
 */
export async function prepareDraw(
  sequence: EngineSequence,
  grammars: LazyGrammars,
  stopTokens: readonly number[] | undefined,
): Promise<Draw | TempoError> {
  try {
    sequence.sampling ??= await samplingOf(sequence, grammars, stopTokens);
    const { sampling } = sequence;
    return { sampling, bitmask: sampling.matcher?.nextBitmask() };
  } catch (thrown) {
    return TempoError.from(thrown);
  }
}

async function samplingOf(
  { spec: { sampling }, generated }: EngineSequence,
  grammars: LazyGrammars,
  stopTokens: readonly number[] | undefined,
): Promise<SequenceSampling> {
  const { grammar } = sampling;
  const matcher = grammar === undefined ? undefined : await grammars.matcher(grammar, generated);
  return new SequenceSampling({ sampling, generated, stopTokens, matcher });
}
