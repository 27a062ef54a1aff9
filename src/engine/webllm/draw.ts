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

/**
 * Undefined where a sequence's next token can be drawn without delay. Else its matcher is being made,
 * or a mask that takes longer than `untilMs`; the promise resolves when that is done, and where it fails:
 * then `prepareDraw` says so.
 */
export function untilDrawable(
  sequence: EngineSequence,
  grammars: LazyGrammars,
  stopTokens: readonly number[] | undefined,
  untilMs: number,
): Promise<void> | undefined {
  const { sampling, spec } = sequence;
  if (spec.sampling.grammar === undefined || sequence.unprepared) return undefined;
  if (sequence.preparing !== undefined) return sequence.preparing;
  const work =
    sampling === undefined ? begin(sequence, grammars, stopTokens) : preparation(sampling, untilMs);
  if (work === undefined) return undefined;
  sequence.preparing = work
    .catch(() => {
      sequence.unprepared = true;
    })
    .then(() => {
      sequence.preparing = undefined;
    });
  return sequence.preparing;
}

async function begin(
  sequence: EngineSequence,
  grammars: LazyGrammars,
  stopTokens: readonly number[] | undefined,
): Promise<void> {
  const { length } = sequence;
  const sampling = await samplingOf(sequence, grammars, stopTokens);
  await preparation(sampling, performance.now());
  if (sequence.length === length) sequence.sampling ??= sampling;
}

function preparation({ matcher }: SequenceSampling, untilMs: number): Promise<void> | undefined {
  try {
    return matcher?.prepare(untilMs);
  } catch {
    return undefined;
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
