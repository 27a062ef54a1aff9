import { type SampledToken, TempoError } from '../../scheduler';
import { Sampler, SequenceSampling } from '../sampling';
import type { Draw } from './draw';
import { GpuSampler } from './gpu-sampler';
import { libraryHas, type MlcPipeline, SAMPLING_FUNCTIONS, type TvmTensor } from './internals';

/** Draws that are under way on the GPU: readable once the device is in sync, and then no more. */
export interface PendingDraws {
  /** For each row its token, or why it has none. */
  read(): (SampledToken | TempoError)[];
  /** Frees what `read` would have read. */
  dispose(): void;
}

/**
 * Draws the next token of each row of logits: on the GPU where the library can, else on the CPU.
 * Which of the two depends on the sequence's own parameters only (log probabilities and top_k need the
 * whole row), so batch-mates never change a text.
 */
export class RowSampler {
  readonly #pipeline: MlcPipeline;
  readonly #cpu: Sampler;
  readonly #gpu: GpuSampler | undefined;

  private constructor(pipeline: MlcPipeline, vocabSize: number, gpu: GpuSampler | undefined) {
    this.#pipeline = pipeline;
    this.#cpu = new Sampler(vocabSize);
    this.#gpu = gpu;
  }

  /** Samples on the GPU if the library can and does so rightly. */
  static async create(pipeline: MlcPipeline, vocabSize: number): Promise<RowSampler> {
    if (!libraryHas(pipeline, SAMPLING_FUNCTIONS)) {
      return new RowSampler(pipeline, vocabSize, undefined);
    }
    const gpu = new GpuSampler(pipeline, vocabSize);
    if (await gpu.tryOut()) return new RowSampler(pipeline, vocabSize, gpu);
    gpu.dispose();
    return new RowSampler(pipeline, vocabSize, undefined);
  }

  get onGpu(): boolean {
    return this.#gpu !== undefined;
  }

  /** Issues the draws, in the caller's scope; a row with an error keeps it. */
  issue(logits: TvmTensor, rows: readonly (Draw | TempoError)[]): PendingDraws {
    const draws = rows.map((row) => (row instanceof TempoError ? NO_DRAW : row));
    const samplings = draws.map(({ sampling }) => sampling);
    const bitmasks = draws.map(({ bitmask }) => bitmask);
    const onCpu = samplings.map(
      ({ params: { topK, topLogprobs } }) =>
        this.#gpu === undefined || topK !== undefined || topLogprobs !== undefined,
    );
    // The CPU's copy comes first: the GPU's sampling changes the logits in place.
    const copy = onCpu.some(Boolean) ? this.#toHost(logits) : undefined;
    const drawn = onCpu.every(Boolean) ? undefined : this.#gpu?.issue(logits, samplings, bitmasks);
    return {
      read: () => {
        const tokens = drawn?.toArray();
        const values = copy?.toArray() as Float32Array | undefined;
        const vocabSize = logits.shape[1];
        return rows.map((row, i) => {
          if (row instanceof TempoError) return row;
          if (!onCpu[i] && tokens !== undefined) return inVocabulary(tokens[i], vocabSize);
          if (values === undefined) throw new Error('The logits were not copied.');
          return this.#sample(values.subarray(i * vocabSize, (i + 1) * vocabSize), row);
        });
      },
      dispose: () => {
        copy?.dispose();
        drawn?.dispose();
      },
    };
  }

  dispose(): void {
    this.#gpu?.dispose();
  }

  #sample(logits: Float32Array, { sampling, bitmask }: Draw): SampledToken | TempoError {
    try {
      return this.#cpu.sample(logits, sampling, bitmask);
    } catch (thrown) {
      return TempoError.from(thrown);
    }
  }

  #toHost(tensor: TvmTensor): TvmTensor {
    const { tvm } = this.#pipeline;
    return tvm.detachFromCurrentScope(
      tvm.empty([...tensor.shape], tensor.dtype, tvm.cpu()).copyFrom(tensor),
    );
  }
}

/** Holds the place of a row that is not drawn from: the kernels take whole batches. */
const NO_DRAW: Draw = {
  sampling: new SequenceSampling({ sampling: { temperature: 0, topP: 1, seed: 0 } }),
  bitmask: undefined,
};

/** A kernel that finds nothing to draw leaves whatever was in its memory. */
function inVocabulary(token: number, vocabSize: number): SampledToken | TempoError {
  if (token >= 0 && token < vocabSize) return { token };
  return new TempoError('engine_failed', `The GPU drew token ${token}, of ${vocabSize}.`);
}
