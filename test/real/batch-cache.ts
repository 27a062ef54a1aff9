import { MLCEngine } from '@mlc-ai/web-llm';
import type { RealRun } from './entry';

/** A TVM function; its arguments are objects of the runtime. */
type PackedFunction<Result = void> = (...args: unknown[]) => Result;

interface Tensor {
  readonly shape: number[];
  readonly dtype: string;
  copyFrom(data: Tensor | readonly number[]): Tensor;
  view(shape: readonly number[]): Tensor;
  toArray(): Float32Array;
  dispose(): void;
}

interface Device {
  sync(): Promise<void>;
}

interface Tvm {
  beginScope(): void;
  endScope(): void;
  detachFromCurrentScope<T>(object: T): T;
  getGlobalFunc<Result = void>(name: string): PackedFunction<Result>;
  makeShapeTuple(shape: readonly number[]): unknown;
  scalar(value: number, dtype: 'int32' | 'int64'): unknown;
  empty(shape: readonly number[], dtype: string, device: Device): Tensor;
  cpu(): Device;
}

/** What is used here of WebLLM's pipeline, which is private in its types and the same in all versions. */
interface Pipeline {
  readonly tvm: Tvm;
  readonly device: Device;
  readonly vm: { getFunction<Result>(name: string): PackedFunction<Result> };
  readonly params: unknown;
  readonly embed: PackedFunction<Tensor>;
}

/** Loads the model with a KV cache of WebLLM's own that is as small as can be. */
export async function loadEngine(run: RealRun): Promise<MLCEngine> {
  const engine = new MLCEngine({ appConfig: { model_list: [run.record] }, logLevel: 'WARN' });
  await engine.reload(run.record.model_id, { context_window_size: 128 });
  return engine;
}

/** A member of a forward: a sequence and the tokens to append to it. */
export interface Member {
  readonly id: number;
  readonly tokens: readonly number[];
}

/** A KV cache for many sequences beside WebLLM's own, on the same weights. */
export class BatchCache {
  readonly #pipeline: Pipeline;
  readonly #cache: unknown;
  readonly #addSequence: PackedFunction;
  readonly #removeSequence: PackedFunction;
  readonly #forkSequence: PackedFunction;
  readonly #pop: PackedFunction;
  readonly #begin: PackedFunction;
  readonly #end: PackedFunction;
  readonly #prefill: PackedFunction<{ get(index: number): Tensor }>;
  readonly #decode: PackedFunction<{ get(index: number): Tensor }>;
  /** GPT-2's libraries add position embeddings of the wrong shape in `batch_decode`. */
  readonly #canBatchDecode: boolean;

  /**
   * @param sequences that can be held at once.
   * @param tokens that can be held at once, in all sequences together.
   * @param chunk tokens in one forward, at most.
   */
  constructor(engine: MLCEngine, run: RealRun, sequences: number, tokens: number, chunk: number) {
    const pipelines: unknown = Reflect.get(engine, 'loadedModelIdToPipeline');
    if (!(pipelines instanceof Map)) throw new Error('This WebLLM keeps its pipelines elsewhere.');
    const pipeline = pipelines.get(run.record.model_id) as Pipeline;
    const { tvm, vm } = pipeline;
    this.#pipeline = pipeline;
    this.#canBatchDecode = run.metadata.model_type !== 'gpt2';
    tvm.beginScope();
    const global = (name: string) =>
      tvm.detachFromCurrentScope(tvm.getGlobalFunc(`vm.builtin.kv_state_${name}`));
    this.#addSequence = global('add_sequence');
    this.#removeSequence = global('remove_sequence');
    this.#forkSequence = global('fork_sequence');
    this.#pop = global('popn');
    this.#begin = global('begin_forward');
    this.#end = global('end_forward');
    this.#prefill = tvm.detachFromCurrentScope(vm.getFunction('batch_prefill'));
    this.#decode = tvm.detachFromCurrentScope(vm.getFunction('batch_decode'));
    const create = vm.getFunction<unknown>('create_tir_paged_kv_cache');
    const sizes = [sequences, tokens, chunk, 16, 0].map((size) => tvm.makeShapeTuple([size]));
    this.#cache = tvm.detachFromCurrentScope(create(...sizes));
    tvm.endScope();
  }

  add(id: number): void {
    this.#addSequence(this.#cache, this.#int64(id));
  }

  remove(id: number): void {
    this.#removeSequence(this.#cache, this.#int64(id));
  }

  /** Makes `child` a sequence with the first `length` tokens of `parent`. */
  fork(parent: number, child: number, length: number): void {
    this.#forkSequence(this.#cache, this.#int64(parent), this.#int64(child), this.#int64(length));
  }

  /** Forgets the last `count` tokens of a sequence. */
  pop(id: number, count: number): void {
    this.#pop(this.#cache, this.#int64(id), this.#pipeline.tvm.scalar(count, 'int32'));
  }

  /** Appends each member's tokens in one forward and returns each one's logits after its last token. */
  async forward(members: readonly Member[]): Promise<Float32Array[]> {
    const { tvm, device, embed, params } = this.#pipeline;
    const lengths = members.map(({ tokens }) => tokens.length);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const decodeOnly = this.#canBatchDecode && total === members.length;
    tvm.beginScope();
    const ids = tvm.empty([total], 'int32', device);
    const embedded = embed(ids.copyFrom(members.flatMap(({ tokens }) => tokens)), params);
    const hidden = embedded.shape.at(-1) ?? 0;
    const input = embedded.view(decodeOnly ? [total, 1, hidden] : [1, total, hidden]);
    const shape = (values: number[]) => tvm.makeShapeTuple(values);
    this.#begin(this.#cache, shape(members.map(({ id }) => id)), shape(lengths));
    const results = decodeOnly
      ? this.#decode(input, this.#cache, params)
      : this.#prefill(input, this.#lastPositions(lengths), this.#cache, params);
    this.#end(this.#cache);
    const logits = results.get(0);
    const onCpu = tvm.empty(logits.shape, logits.dtype, tvm.cpu());
    tvm.detachFromCurrentScope(onCpu).copyFrom(logits);
    tvm.endScope();
    await device.sync();
    const flat = onCpu.toArray();
    onCpu.dispose();
    const width = flat.length / members.length;
    return members.map((_, row) => flat.slice(row * width, (row + 1) * width));
  }

  /** Where each member's last token is in the forward, on the device. */
  #lastPositions(lengths: readonly number[]): Tensor {
    let end = 0;
    const positions = lengths.map((length) => {
      end += length;
      return end - 1;
    });
    const { tvm, device } = this.#pipeline;
    return tvm.empty([lengths.length], 'int32', device).copyFrom(positions);
  }

  #int64(value: number): unknown {
    return this.#pipeline.tvm.scalar(value, 'int64');
  }
}
