import { TempoError } from '../../scheduler';
import { SequenceSampling } from '../sampling';
import { yieldToEventLoop } from '../yield';
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
    const sampling =
      sequence.sampling ?? adopt(sequence, await samplingOf(sequence, grammars, stopTokens));
    const { matcher } = sampling;
    const late = matcher?.prepare(performance.now());
    if (late !== undefined) await late;
    return { sampling, bitmask: matcher?.nextBitmask() };
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
  const { length, disposals } = sequence;
  const sampling = await samplingOf(sequence, grammars, stopTokens);
  await preparation(sampling, performance.now());
  if (sequence.length === length && sequence.disposals === disposals) adopt(sequence, sampling);
  else sampling.matcher?.dispose();
}

/** Gives a sequence what was made for it, unless it has some by now. Returns what it has. */
function adopt(sequence: EngineSequence, made: SequenceSampling): SequenceSampling {
  sequence.sampling ??= made;
  if (sequence.sampling !== made) made.matcher?.dispose();
  return sequence.sampling;
}

type Drawn = Pick<EngineSequence, 'sampling'>;

/**
 * Until masks are there that other threads are about to have made, or have not made in time. Undefined
 * where there are none.
 */
export function untilSettled(sequences: readonly Drawn[]): Promise<void> | undefined {
  return isUnsettled(sequences) ? settle(sequences) : undefined;
}

function isUnsettled(sequences: readonly Drawn[]): boolean {
  const nowMs = performance.now();
  for (const { sampling } of sequences) {
    const untilMs = sampling?.matcher?.soonUntilMs;
    if (untilMs !== undefined && untilMs > nowMs) return true;
  }
  return false;
}

async function settle(sequences: readonly Drawn[]): Promise<void> {
  // A timer would take longer than all of it may.
  do await yieldToEventLoop();
  while (isUnsettled(sequences));
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
