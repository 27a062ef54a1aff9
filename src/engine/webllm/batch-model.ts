import type { KvOperations } from '../kv';
import { ForwardFunctions } from './forward-functions';
import type { ImageRows, MixedTokens } from './image-rows';
import {
  type Internals,
  RUNTIME_FUNCTIONS,
  type TvmFunction,
  type TvmInstance,
  type TvmObject,
  type TvmTensor,
} from './internals';
import { inScope } from './scope';

/** KV slots a page. Fixed in the libraries' kernels. */
export const PAGE_SIZE = 16;

/**
 * The runtime's own id of a sequence that we keep free: its checkpoint functions take no other (as
 * WebLLM 0.2.86, which has one sequence, uses them). Slot n is the runtime's sequence n + 1.
 */
export const CHECKPOINT_SEQUENCE = 0;

/** One member of a forward: the next tokens of the sequence in `slot`. */
export interface ForwardMember extends MixedTokens {
  slot: number;
  /** Whether the logits after its last token are wanted. */
  wanted: boolean;
}

/**
 * A loaded model with a paged KV cache of our own for many sequences, on WebLLM's weights. One
 * `forward` takes any mix of decodes and prefill chunks.
 */
export class BatchModel implements KvOperations {
  readonly #tvm: TvmInstance;
  readonly #internals: Internals;
  /** The paged KV cache itself. */
  readonly cache: TvmObject;
  readonly #functions: ForwardFunctions;
  readonly #runtime: Record<keyof typeof RUNTIME_FUNCTIONS, TvmFunction>;
  #disposed = false;

  /** Allocates the cache. Throws what TVM throws when the device has no room for it. */
  constructor(internals: Internals, size: { sequences: number; tokens: number; chunk: number }) {
    const { pipeline } = internals;
    const { tvm, vm } = pipeline;
    this.#tvm = tvm;
    this.#internals = internals;
    tvm.beginScope();
    try {
      const keep = <T extends TvmObject>(object: T) => tvm.detachFromCurrentScope(object);
      this.cache = keep(
        vm.getFunction('create_tir_paged_kv_cache')(
          tvm.makeShapeTuple([size.sequences + 1]),
          tvm.makeShapeTuple([size.tokens]),
          tvm.makeShapeTuple([size.chunk]),
          tvm.makeShapeTuple([PAGE_SIZE]),
          tvm.makeShapeTuple([0]), // no sliding window
        ) as TvmObject,
      );
      this.#functions = new ForwardFunctions(internals, keep);
      const bind = (name: string) => keep(tvm.getGlobalFunc(name));
      this.#runtime = {
        clear: bind(RUNTIME_FUNCTIONS.clear),
        addSequence: bind(RUNTIME_FUNCTIONS.addSequence),
        removeSequence: bind(RUNTIME_FUNCTIONS.removeSequence),
        forkSequence: bind(RUNTIME_FUNCTIONS.forkSequence),
        popTokens: bind(RUNTIME_FUNCTIONS.popTokens),
        beginForward: bind(RUNTIME_FUNCTIONS.beginForward),
        endForward: bind(RUNTIME_FUNCTIONS.endForward),
        availablePages: bind(RUNTIME_FUNCTIONS.availablePages),
      };
    } finally {
      tvm.endScope();
    }
  }

  /** Pages that no sequence holds, as the runtime counts them. */
  get availablePages(): number {
    return inScope(this.#tvm, () => Number(this.#runtime.availablePages(this.cache)));
  }

  open(slot: number): void {
    this.#call(this.#runtime.addSequence, idOf(slot));
  }

  close(slot: number): void {
    this.#call(this.#runtime.removeSequence, idOf(slot));
  }

  fork(parent: number, slot: number, tokens: number): void {
    this.#fork(idOf(parent), idOf(slot), tokens);
  }

  pop(slot: number, tokens: number): void {
    inScope(this.#tvm, () =>
      this.#runtime.popTokens(
        this.cache,
        this.#int64(idOf(slot)),
        this.#tvm.scalar(tokens, 'int32'),
      ),
    );
  }

  /**
   * Runs `use` while the checkpoint sequence shares a slot's first `tokens` tokens, which are whole
   * pages: nothing is copied, and no page taken.
   */
  checkpointing<T>(slot: number, tokens: number, use: () => T): T {
    this.#fork(idOf(slot), CHECKPOINT_SEQUENCE, tokens);
    try {
      return use();
    } finally {
      this.#call(this.#runtime.removeSequence, CHECKPOINT_SEQUENCE);
    }
  }

  /** Gives the `tokens` tokens of the checkpoint sequence, which `fill` makes, to a slot that is open and empty. */
  restoring(slot: number, tokens: number, fill: () => void): void {
    this.close(slot);
    fill();
    this.#fork(CHECKPOINT_SEQUENCE, idOf(slot), tokens);
    this.#call(this.#runtime.removeSequence, CHECKPOINT_SEQUENCE);
  }

  /** Every sequence goes. */
  clear(): void {
    inScope(this.#tvm, () => this.#runtime.clear(this.cache));
  }

  /**
   * Issues one forward pass; it has not run yet when this returns. The result, in the caller's scope:
   * logits of shape [rows, vocabulary], one row for each member whose logits are wanted, in order;
   * undefined when none are. Members with images need the `images` that holds their rows.
   */
  forward(members: readonly ForwardMember[], images?: ImageRows): TvmTensor | undefined {
    const tvm = this.#tvm;
    const lengths = members.map(({ tokens }) => tokens.length);
    const ends: number[] = [];
    let at = 0;
    for (const { tokens, wanted } of members) {
      at += tokens.length;
      if (wanted) ends.push(at - 1);
    }
    const mixed = members.some((member) => member.images?.length);
    const embedded = mixed && images ? images.embedded(members) : this.#embedded(members, at);
    this.#runtime.beginForward(
      this.cache,
      tvm.makeShapeTuple(members.map(({ slot }) => idOf(slot))),
      tvm.makeShapeTuple(lengths),
    );
    const logits = this.#functions.run(embedded, lengths, ends, this.cache);
    this.#runtime.endForward(this.cache);
    return logits;
  }

  /** Frees the cache and the functions; WebLLM's engine frees the rest. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.cache.dispose();
    this.#functions.dispose();
    for (const run of Object.values(this.#runtime)) run.dispose();
  }

  /** The embeddings of texts alone, `total` tokens in all. */
  #embedded(members: readonly ForwardMember[], total: number): TvmTensor {
    const { tvm, device, params, embed } = this.#internals.pipeline;
    const ids = new Int32Array(total);
    let at = 0;
    for (const { tokens } of members) {
      ids.set(tokens, at);
      at += tokens.length;
    }
    return embed(tvm.empty([total], 'int32', device).copyFrom(ids), params) as TvmTensor;
  }

  #fork(parent: number, child: number, tokens: number): void {
    inScope(this.#tvm, () =>
      this.#runtime.forkSequence(
        this.cache,
        this.#int64(parent),
        this.#int64(child),
        this.#int64(tokens),
      ),
    );
  }

  #call(run: TvmFunction, id: number): void {
    inScope(this.#tvm, () => run(this.cache, this.#int64(id)));
  }

  #int64(value: number) {
    return this.#tvm.scalar(value, 'int64');
  }
}

/** The runtime's id of a slot's sequence. */
function idOf(slot: number): number {
  return slot + 1;
}
