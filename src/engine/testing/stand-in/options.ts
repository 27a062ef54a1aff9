import type { LibraryMetadata, MlcPipeline, TvmTensor } from '../../webllm/internals';

export interface StandInOptions {
  /** The library has the newer kernels that sample on the GPU. */
  samplesOnGpu?: boolean;
  /** The runtime can copy a sequence's pages out and in. */
  swaps?: boolean;
  metadata?: Partial<LibraryMetadata>;
  /** The library takes images, and the model's configuration calls it so: `phi3_v`. */
  vision?: string;
  /** Changes WebLLM's pipeline as it is made: `run` feeds rows to its one sequence. */
  dress?: (pipeline: MlcPipeline, run: (rows: TvmTensor) => TvmTensor) => void;
  /** Functions that the library or the runtime lacks. */
  lacks?: readonly string[];
  /** What the GPU computes wrongly. */
  wrong?: {
    /** A chunk that attends to earlier tokens (the merge_state race). */
    chunks?: boolean;
    /** Every sequence of a batch but the first. */
    batches?: boolean;
    /** A fork within a page. */
    forks?: boolean;
    /** What follows a pop. */
    pops?: boolean;
    /** Draws on the GPU. */
    draws?: boolean;
    /** Sums of probabilities on the GPU, beyond the first 32 (the cumsum race). */
    sums?: boolean;
    /** Images come as one row too few. */
    images?: boolean;
    /** Repetition penalties on the GPU, the way round that v0_2_48 has them. */
    penalties?: boolean;
  };
  /** Buffer memory of the GPU, bytes. */
  gpuBytes?: number;
  /** KV caches of more tokens than this destroy the device, a moment after they are made. */
  mostKvTokens?: number;
  gpuFeatures?: readonly string[];
  /** There is a GPU at all. Default true. */
  adapter?: boolean;
  /** The model's configuration has a sliding window and therefore no context window. */
  slidingWindow?: number;
  /** What loading fails with. */
  loadError?: Error;
  /** Time that loading takes, ms. */
  loadMs?: number;
}
