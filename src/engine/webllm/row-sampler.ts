import type { SampledToken } from '../../scheduler';
import { Sampler, type SequenceSampling } from '../sampling';
import { GpuSampler } from './gpu-sampler';
import { libraryHas, type MlcPipeline, SAMPLING_FUNCTIONS, type TvmTensor } from './internals';

/** Draws that are under way on the GPU: readable once the device is in sync, and then no more. */
export interface PendingDraws {
  /** One token per row. */
  read(): SampledToken[];
  /** Frees what `read` would have read. */
  dispose(): void;
}

/**
 * Draws the next token of each row of logits: on the GPU where the library can, else on the CPU.
 * Which of the two depends on the sequence's own parameters only (log probabilities need the whole
 * row), so batch-mates never change a text.
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

  /** Issues the draws, in the caller's scope. `bitmasks[i]` is what row i's grammar allows. */
  issue(
    logits: TvmTensor,
    rows: readonly SequenceSampling[],
    bitmasks: readonly (Int32Array | undefined)[],
  ): PendingDraws {
    const onCpu = rows.map(
      (row) => this.#gpu === undefined || row.params.topLogprobs !== undefined,
    );
    // The CPU's copy comes first: the GPU's sampling changes the logits in place.
    const copy = onCpu.some(Boolean) ? this.#toHost(logits) : undefined;
    const drawn = onCpu.every(Boolean) ? undefined : this.#gpu?.issue(logits, rows, bitmasks);
    return {
      read: () => {
        const tokens = drawn?.toArray();
        const values = copy?.toArray() as Float32Array | undefined;
        const vocabSize = logits.shape[1];
        return rows.map((row, i) => {
          if (!onCpu[i] && tokens !== undefined) return { token: tokens[i] };
          if (values === undefined) throw new Error('The logits were not copied.');
          return this.#cpu.sample(
            values.subarray(i * vocabSize, (i + 1) * vocabSize),
            row,
            bitmasks[i],
          );
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

  #toHost(tensor: TvmTensor): TvmTensor {
    const { tvm } = this.#pipeline;
    return tvm.detachFromCurrentScope(
      tvm.empty([...tensor.shape], tensor.dtype, tvm.cpu()).copyFrom(tensor),
    );
  }
}
