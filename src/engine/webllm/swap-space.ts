import { type BatchModel, CHECKPOINT_SEQUENCE } from './batch-model';
import { type MlcPipeline, SWAP_FUNCTIONS, type TvmFunction, type TvmTensor } from './internals';
import { inScope } from './scope';

/** Keys and values of a sequence's first tokens, in CPU memory. */
export interface SwappedPages {
  /** Whole pages of them. */
  tokens: number;
  /** The runtime's description of them; it wants it back. */
  metadata: string;
  groups: { index: number; shape: number[]; dtype: string; data: Uint8Array }[];
  bytes: number;
}

/**
 * Copies single sequences' keys and values to CPU memory and back, with the functions that WebLLM
 * 0.2.86 uses for its checkpoints (`exportPromptCheckpoint`, `importPromptCheckpoint`). They take the
 * checkpoint sequence only, so that pages pass through it by forks, which share them.
 */
export class SwapSpace {
  readonly #pipeline: MlcPipeline;
  readonly #model: BatchModel;
  readonly #run: Record<keyof typeof SWAP_FUNCTIONS, TvmFunction>;

  constructor(model: BatchModel, pipeline: MlcPipeline) {
    this.#model = model;
    this.#pipeline = pipeline;
    const { tvm } = pipeline;
    this.#run = inScope(tvm, () => {
      const bind = (name: string) => tvm.detachFromCurrentScope(tvm.getGlobalFunc(name));
      return {
        metadata: bind(SWAP_FUNCTIONS.metadata),
        exportGroup: bind(SWAP_FUNCTIONS.exportGroup),
        prepareImport: bind(SWAP_FUNCTIONS.prepareImport),
        importGroup: bind(SWAP_FUNCTIONS.importGroup),
        finishImport: bind(SWAP_FUNCTIONS.finishImport),
      };
    });
  }

  /** Copies a slot's first `tokens` tokens out, whole pages of them; they stay in the cache. */
  async copyOut(slot: number, tokens: number): Promise<SwappedPages> {
    const { device } = this.#pipeline;
    const copies: { index: number; cpu: TvmTensor }[] = [];
    try {
      const metadata = this.#model.checkpointing(slot, tokens, () => this.#export(copies));
      await device.sync();
      const groups = copies.map(({ index, cpu }) => ({
        index,
        shape: [...cpu.shape],
        dtype: cpu.dtype,
        data: cpu.toRawBytes(),
      }));
      const bytes = groups.reduce((sum, { data }) => sum + data.byteLength, 0);
      return { tokens, metadata, groups, bytes };
    } finally {
      for (const { cpu } of copies) cpu.dispose();
    }
  }

  /** Issues the copies of all page groups; returns the runtime's description of them. */
  #export(copies: { index: number; cpu: TvmTensor }[]): string {
    const { tvm, device } = this.#pipeline;
    const { cache } = this.#model;
    return inScope(tvm, () => {
      const id = tvm.scalar(CHECKPOINT_SEQUENCE, 'int64');
      const metadata = String(this.#run.metadata(cache, id));
      for (const { index, shape, dtype } of groupsOf(metadata)) {
        const pages = tvm.empty(shape, dtype, device);
        this.#run.exportGroup(cache, id, tvm.scalar(index, 'int64'), pages);
        const cpu = tvm.empty(shape, dtype, tvm.cpu()).copyFrom(pages);
        copies.push({ index, cpu: tvm.detachFromCurrentScope(cpu) });
      }
      return metadata;
    });
  }

  /** Issues the copy back, into a slot that is open and empty. */
  copyIn(slot: number, { tokens, metadata, groups }: SwappedPages): void {
    const { tvm, device } = this.#pipeline;
    const { cache } = this.#model;
    this.#model.restoring(slot, tokens, () =>
      inScope(tvm, () => {
        const id = tvm.scalar(CHECKPOINT_SEQUENCE, 'int64');
        this.#run.prepareImport(cache, id, metadata);
        for (const { index, shape, dtype, data } of groups) {
          const pages = tvm.empty(shape, dtype, device).copyFromRawBytes(data);
          this.#run.importGroup(cache, id, tvm.scalar(index, 'int64'), pages);
        }
        this.#run.finishImport(cache, id);
      }),
    );
  }

  dispose(): void {
    for (const run of Object.values(this.#run)) run.dispose();
  }
}

/** The page groups that the runtime describes, under either of the names it may use. */
function groupsOf(metadata: string): { index: number; shape: number[]; dtype: string }[] {
  const { groups } = JSON.parse(metadata) as { groups?: unknown };
  if (!Array.isArray(groups)) throw new Error('The checkpoint metadata has no page groups.');
  return groups.map((group: Record<string, unknown>) => {
    const index = group.group_index ?? group.groupIndex;
    const { shape, dtype } = group;
    if (typeof index !== 'number' || !Array.isArray(shape) || typeof dtype !== 'string') {
      throw new Error('The checkpoint metadata describes its page groups otherwise.');
    }
    return { index, shape: shape.map(Number), dtype };
  });
}
