import {
  type Internals,
  libraryHas,
  SINGLE_FUNCTIONS,
  type TvmArray,
  type TvmFunction,
  type TvmObject,
  type TvmTensor,
} from './internals';

/** The library's ways to run a model's layers, and which to take for which batch. */
export class ForwardFunctions {
  readonly #internals: Internals;
  readonly #batchPrefill: TvmFunction;
  readonly #batchDecode: TvmFunction | undefined;
  /** For one sequence alone there are kernels of its own, faster ones: those that WebLLM uses. */
  readonly #prefill: TvmFunction | undefined;
  readonly #decode: TvmFunction | undefined;

  /** Binds the functions; `keep` takes them out of the scope they are made in. */
  constructor(internals: Internals, keep: <T extends TvmObject>(object: T) => T) {
    const { vm } = internals.pipeline;
    this.#internals = internals;
    this.#batchPrefill = keep(vm.getFunction('batch_prefill'));
    if (!learnsPositions(internals)) this.#batchDecode = keep(vm.getFunction('batch_decode'));
    if (libraryHas(internals.pipeline, SINGLE_FUNCTIONS)) {
      this.#prefill = keep(vm.getFunction('prefill'));
      this.#decode = keep(vm.getFunction('decode'));
    }
  }

  /**
   * Runs a batch on embeddings [total, hidden], between the cache's begin_forward and end_forward.
   * `ends` are the positions whose logits are wanted, which come as [ends, vocabulary].
   */
  run(
    embedded: TvmTensor,
    lengths: readonly number[],
    ends: readonly number[],
    cache: TvmObject,
  ): TvmTensor | undefined {
    const { params } = this.#internals.pipeline;
    const [total, hidden] = embedded.shape;
    const one = [1, total, hidden];
    const alone = lengths.length === 1 ? (total === 1 ? this.#decode : this.#prefill) : undefined;
    const together = total === ends.length ? this.#batchDecode : undefined;
    const result =
      alone?.(embedded.view(one), cache, params) ??
      together?.(embedded.view([total, 1, hidden]), cache, params) ??
      this.#batchPrefill(embedded.view(one), this.#positions(ends, total), cache, params);
    if (ends.length === 0) return undefined;
    const logits = (result as TvmArray).get(0);
    return logits.view([ends.length, logits.shape[logits.shape.length - 1]]);
  }

  dispose(): void {
    for (const run of [this.#batchPrefill, this.#batchDecode, this.#prefill, this.#decode]) {
      run?.dispose();
    }
  }

  /** One position at least, wanted or not. */
  #positions(ends: readonly number[], total: number): TvmTensor {
    const { tvm, device } = this.#internals.pipeline;
    const positions = ends.length > 0 ? ends : [total - 1];
    return tvm.empty([positions.length], 'int32', device).copyFrom(positions);
  }
}

/**
 * Models with learned position embeddings (gpt2, gpt_bigcode) ask the cache for as many positions as
 * a sequence has new tokens, so their `batch_decode` aborts with more than one sequence. Their
 * `batch_prefill`, in which the batch is one row, takes decodes as well.
 */
function learnsPositions({ metadata }: Internals): boolean {
  return metadata.params.some(({ name }) => /\bwpe\b/.test(name));
}
