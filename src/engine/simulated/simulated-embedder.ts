import { hashText, seededRandom, TempoError } from '../../scheduler';
import type { Embedder } from '../embedder';
import type { LoadOptions } from '../step-engine';
import { deviceProfile, RealClock } from './simulated-engine';
import type { SimulationClock } from './simulated-executor';

export interface SimulatedEmbedderOptions extends LoadOptions {
  /** What it is called; any name will do. */
  model: string;
  /** The device profile that says how long it takes. */
  profile: string;
  /** Default: real time. */
  clock?: SimulationClock;
}

/** As many numbers as snowflake-arctic-embed-s gives. */
const DIMENSIONS = 384;
const CONTEXT_WINDOW = 512;
const MAX_BATCH = 8;
const VOCABULARY = 2 ** 31 - 1;
/** An embedding model is so much smaller than the profile's chat model. */
const COST_SHARE = 0.03;

/** Loads a made-up embedding model. Throws `unknown_model` for a profile that does not exist. */
export async function loadSimulatedEmbedder(options: SimulatedEmbedderOptions): Promise<Embedder> {
  const { model, clock = new RealClock(), signal, onProgress } = options;
  const profile = deviceProfile(options.profile);
  if (signal?.aborted) throw TempoError.from(signal.reason, 'aborted');
  onProgress?.({ phase: 'ready', text: `Simulating ${model}.`, fraction: 1 });
  return {
    model,
    simulated: true,
    device: profile.description,
    contextWindow: CONTEXT_WINDOW,
    maxBatch: MAX_BATCH,
    vocabSize: VOCABULARY,
    lost: new Promise(() => {}),
    encode,
    async embed(inputs) {
      const tokens = inputs.reduce((sum, { length }) => sum + length, 0);
      await clock.sleep(COST_SHARE * (profile.weightsMs + tokens * profile.computeMsPerToken));
      return inputs.map(vectorOf);
    },
    async dispose() {},
  };
}

/** Parts of words, and what is between them but for spaces. */
const PIECE = /[\p{L}\p{N}_]{1,6}|[^\s\p{L}\p{N}_]/gu;

/** Numbers that depend on the text alone, not on what came before it. */
function encode(text: string): Int32Array {
  const pieces = text.toLowerCase().match(PIECE) ?? [];
  return Int32Array.from(pieces, (piece) => hashText(piece) % VOCABULARY);
}

/**
 * A made-up vector of length 1: the sum of a random one for each token, so that texts with words in common
 * are nearer to one another than others. The same text always gives the same.
 */
function vectorOf(ids: Int32Array): Float32Array {
  const sum = new Float32Array(DIMENSIONS);
  for (const id of ids) {
    const random = seededRandom(id);
    for (let i = 0; i < DIMENSIONS; i++) sum[i] += random() - 0.5;
  }
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}
