/**
 * A stand-in for WebLLM, its runtime and a GPU, for tests: tiny, deterministic, on the CPU. It keeps
 * tokens in paged KV slots, and its logits are a hash of what a sequence's slots hold, in order; so
 * a mistake in paging, forking, popping, chunking or batching comes out in the text. It follows the
 * runtime's rules (page counts, shared blocks, scopes, copies that arrive with `sync`) and breaks off
 * as the runtime does where they are not kept. Kernels can be told to compute wrongly.
 */
import { phi3vShape } from '../images/phi3v';
import type { ChatOptions } from '../webllm/app-config';
import type {
  ImagePipeline,
  LibraryMetadata,
  MlcConversationTemplate,
  MlcPipeline,
  TvmDevice,
  TvmTensor,
} from '../webllm/internals';
import type { MlcEngine, WebLlmModule } from '../webllm/webllm-module';

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

export const STAND_IN_MODEL = 'stand-in';
/** An embedding model: 4 inputs a forward of at most 64 tokens each. */
export const STAND_IN_EMBEDDER = 'stand-in-embedder';
const VOCABULARY = 264;
const SPECIAL = ['<|im_start|>', '<|im_end|>', '<|endoftext|>'];

const TEMPLATE: MlcConversationTemplate = {
  system_template: '<|im_start|>system\n{system_message}<|im_end|>\n',
  system_message: 'You are a stand-in.',
  roles: { user: '<|im_start|>user', assistant: '<|im_start|>assistant', tool: '<|im_start|>tool' },
  role_templates: {
    user: '{user_message}',
    assistant: '{assistant_message}',
    tool: '{tool_message}',
  },
  seps: ['<|im_end|>\n'],
  role_content_sep: '\n',
  role_empty_sep: '\n',
  stop_str: ['<|im_end|>'],
  stop_token_ids: [257, 258],
};

const METADATA: LibraryMetadata = {
  model_type: 'stand-in',
  quantization: 'q0f32',
  context_window_size: 1024,
  sliding_window_size: -1,
  prefill_chunk_size: 512,
  kv_state_kind: 'kv_cache',
  max_batch_size: 80,
  kv_cache: { num_hidden_layers: 2, num_key_value_heads: 1, head_dim: 4 },
  params: [{ name: 'embedding.weight', shape: ['vocab_size', 1], dtype: 'float32' }],
};

/** What the function for images is called with. */
export interface SeenImage {
  /** [1, height, width, 3] */
  shape: number[];
  dtype: string;
  pixels: number[];
  /** Heights and widths. */
  resize: [number, number];
  crop: [number, number];
}

/** One of the prebuilt libraries' kernels, shortened. */
export const MERGE_STATE_KERNEL = `
@compute @workgroup_size(16, 12, 1)
fn merge_state_inplace_kernel(
  @builtin(workgroup_id) blockIdx : vec3<u32>
) {
  s_val[0i] = S[((v__1 * podArgs.H) + i32(threadIdx.y))];
  V[v__2 + 0] = vec4<f16>(v_vec[0i + 0])[0];
  S[((v__1 * podArgs.H) + i32(threadIdx.y))] = (log2((s_val[0i] + s_other_val[0i])) + s_max[0i]);
}
`;

export class StandIn {
  /** TVM objects alive. */
  objects = 0;
  /** Scopes open. */
  scopes: Handle[][] = [];
  /** Things that would have corrupted a real runtime's memory. */
  readonly corruptions: string[] = [];
  /** The token ids of every embed call. */
  readonly embedded: number[][] = [];
  /** What every forward computed: token ids, and what rows of images hold. */
  readonly fed: number[][] = [];
  /** What every image_embed call was given. */
  readonly images: SeenImage[] = [];
  /** The inputs of every forward of an embedding model, as token ids. */
  readonly embeddings: number[][][] = [];
  /** Shader texts compiled. */
  readonly shaders: string[] = [];
  /** Forwards begun and ended. */
  forwards = 0;
  readonly options: StandInOptions;
  readonly metadata: LibraryMetadata;
  readonly webllm: WebLlmModule;
  readonly gpu: GPU;
  /** Copies to the CPU that have not arrived. */
  copies: (() => void)[] = [];
  broken: string | undefined;
  lost = false;
  #failNext: string | undefined;
  #ruinNext = false;
  #usedBytes = 0;
  #lose: (info: { reason: string; message: string }) => void = () => {};

  constructor(options: StandInOptions = {}) {
    this.options = options;
    this.metadata = { ...METADATA, ...options.metadata };
    this.gpu = this.#makeGpu();
    this.webllm = makeWebLlm(this);
  }

  /** Loads the model as a page would through WebLLM alone; with the pipeline that WebLLM makes of it. */
  async load(chatOptions?: object): Promise<{ engine: MlcEngine; pipeline: MlcPipeline }> {
    const engine = new this.webllm.MLCEngine({
      appConfig: this.webllm.prebuiltAppConfig,
      initProgressCallback: () => {},
    });
    await engine.reload(STAND_IN_MODEL, chatOptions);
    const pipelines = Reflect.get(engine, 'loadedModelIdToPipeline') as Map<string, MlcPipeline>;
    const pipeline = pipelines.get(STAND_IN_MODEL);
    if (pipeline === undefined) throw new Error('The stand-in loaded nothing.');
    return { engine, pipeline };
  }

  /** The GPU device goes away; WebLLM lets go of its runtime, as the real one does. */
  loseDevice(message = 'taken away'): void {
    this.broken = `Device lost: ${message}`;
    this.lost = true;
    this.#lose({ reason: 'unknown', message });
  }

  /** The next forward aborts inside the runtime. */
  failNextForward(message = 'Program terminated with exit(1)'): void {
    this.#failNext = message;
  }

  /** The first row of the next logits is no numbers, as of a kernel that overflowed. */
  ruinNextRow(): void {
    this.#ruinNext = true;
  }

  /** Writes rows of logits for histories. */
  writeLogits(data: { set(values: Float32Array, at: number): void }, hashes: number[]): void {
    for (const [row, hash] of hashes.entries()) {
      const values = logitsOf(hash);
      if (this.#ruinNext) values.fill(Number.NaN);
      this.#ruinNext = false;
      data.set(values, row * VOCABULARY);
    }
  }

  check(): void {
    if (this.broken !== undefined) throw new Error(this.broken);
    if (this.#failNext !== undefined) {
      this.broken = this.#failNext;
      this.#failNext = undefined;
      // Emscripten's ExitStatus is no Error.
      throw { name: 'ExitStatus', message: this.broken, status: 1 };
    }
  }

  allocate(bytes: number): boolean {
    if (this.#usedBytes + bytes > (this.options.gpuBytes ?? Number.POSITIVE_INFINITY)) return false;
    this.#usedBytes += bytes;
    return true;
  }

  free(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  #makeGpu(): GPU {
    const device = () => {
      const errors: (object | null)[] = [];
      return {
        limits: { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 },
        features: new Set(this.options.gpuFeatures ?? ['shader-f16']),
        lost: new Promise((resolve) => {
          this.#lose = resolve;
        }),
        pushErrorScope: () => errors.push(null),
        popErrorScope: async () => errors.pop() ?? null,
        createBuffer: ({ size }: { size: number }) => {
          const fits = this.allocate(size);
          if (!fits) errors[0] = { message: 'out of memory' };
          return { destroy: () => fits && this.free(size), mapAsync: unused };
        },
        createShaderModule: ({ code }: { code: string }) => {
          this.shaders.push(code);
          return {};
        },
        // The runtime here computes on the CPU and sends no commands.
        ...{ createBindGroup: unused, createCommandEncoder: unused },
        queue: { submit: unused, writeBuffer: unused, onSubmittedWorkDone: async () => {} },
        destroy: () => {},
      };
    };
    const adapter = {
      info: { vendor: 'tempo', architecture: 'stand-in', description: 'stand-in GPU' },
      features: new Set(this.options.gpuFeatures ?? ['shader-f16']),
      limits: { maxBufferSize: 2 ** 30 },
      requestDevice: async () => {
        this.broken = undefined;
        this.lost = false;
        return device();
      },
    };
    const gpu = {
      requestAdapter: async () => (this.options.adapter === false ? null : { ...adapter }),
    };
    return gpu as unknown as GPU;
  }
}

function unused(): never {
  throw new Error('The stand-in sends no commands to its device.');
}

/** An object of the runtime; it belongs to the scope it was made in until detached. */
class Handle {
  readonly world: StandIn;
  disposed = false;

  constructor(world: StandIn) {
    this.world = world;
    world.objects++;
    const scope = world.scopes.at(-1);
    if (scope === undefined)
      throw new Error('Must call beginScope to use functions that returns TVM objects');
    scope.push(this);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.world.objects--;
  }

  use(): void {
    if (this.disposed) throw new Error('Object has already been disposed');
  }
}

class Device {
  readonly kind: 'cpu' | 'gpu';
  readonly #world: StandIn;

  constructor(world: StandIn, kind: 'cpu' | 'gpu') {
    this.#world = world;
    this.kind = kind;
  }

  async sync(): Promise<void> {
    const copies = this.#world.copies;
    this.#world.copies = [];
    await new Promise((resolve) => setTimeout(resolve, 0));
    // A lost device has nothing left to do; only what was to be read is missed.
    if (this.#world.lost && copies.length > 0) throw new DOMException('Lost.', 'AbortError');
    for (const copy of copies) copy();
  }
}

class Tensor extends Handle {
  readonly shape: number[];
  readonly dtype: string;
  readonly device: Device;
  readonly data: Float32Array | Int32Array;
  /** It is part of another, from somewhere within it on: kernels would read from its beginning. */
  isPart = false;

  constructor(
    world: StandIn,
    shape: number[],
    dtype: string,
    device: Device,
    data?: Tensor['data'],
  ) {
    super(world);
    this.shape = shape;
    this.dtype = dtype;
    this.device = device;
    const size = shape.reduce((product, n) => product * n, 1);
    this.data = data ?? (dtype === 'float32' ? new Float32Array(size) : new Int32Array(size));
    if (this.data.length !== size)
      throw new Error(`Cannot view ${this.data.length} values as [${shape}]`);
  }

  view(shape: number[]): Tensor {
    this.use();
    const view = new Tensor(this.world, shape, this.dtype, this.device, this.data);
    view.isPart = this.isPart;
    return view;
  }

  /** Rows from a byte on. */
  part(shape: number[], byteOffset: number): Tensor {
    this.use();
    const start = byteOffset / 4;
    const size = shape.reduce((product, n) => product * n, 1);
    if (!Number.isInteger(start) || start + size > this.data.length) fail('The view is too large.');
    const data = this.data.subarray(start, start + size);
    const part = new Tensor(this.world, shape, this.dtype, this.device, data);
    part.isPart = this.isPart || start > 0;
    return part;
  }

  copyFrom(source: Tensor | ArrayLike<number>): this {
    this.use();
    if (!(source instanceof Tensor)) {
      if (source.length !== this.data.length) throw new Error('data size and shape mismatch');
      this.data.set(source);
      return this;
    }
    source.use();
    if (source.dtype !== this.dtype || source.data.length !== this.data.length) {
      throw new Error('Check failed: tensors differ in size or type');
    }
    const values = source.data.slice();
    if (this.device.kind === 'cpu' && source.device.kind === 'gpu') {
      this.world.copies.push(() => {
        if (this.disposed) this.world.corruptions.push('A copy arrived in freed memory.');
        this.data.set(values);
      });
    } else {
      this.data.set(values);
    }
    return this;
  }

  copyFromRawBytes(bytes: Uint8Array): this {
    this.use();
    return this.copyFrom(
      this.dtype === 'float32'
        ? new Float32Array(bytes.slice().buffer)
        : new Int32Array(bytes.slice().buffer),
    );
  }

  toArray(): Float32Array | Int32Array {
    this.use();
    if (this.device.kind !== 'cpu') throw new Error('Can only sync copy CPU array');
    return this.data.slice();
  }

  toRawBytes(): Uint8Array {
    const values = this.toArray();
    return new Uint8Array(values.buffer);
  }
}

const SLOTS = 16;

interface CachedSequence {
  pages: number[];
  length: number;
  tainted: boolean;
}

/** The runtime's paged KV cache: one slot holds one token id. */
class PagedCache extends Handle {
  readonly maxSequences: number;
  readonly chunk: number;
  readonly #slots: Int32Array;
  readonly #references: Int32Array;
  readonly #free: number[] = [];
  readonly #sequences = new Map<number, CachedSequence>();
  #forward: { ids: number[]; lengths: number[] } | undefined;

  constructor(world: StandIn, sequences: number, tokens: number, chunk: number) {
    super(world);
    this.maxSequences = sequences;
    this.chunk = chunk;
    const pages = Math.ceil(tokens / SLOTS) + 1;
    this.#slots = new Int32Array(pages * SLOTS).fill(-1);
    this.#references = new Int32Array(pages);
    for (let page = pages - 1; page >= 0; page--) this.#free.push(page);
  }

  get availablePages(): number {
    return this.#free.length;
  }

  clear(): void {
    for (const id of [...this.#sequences.keys()]) this.remove(id);
  }

  add(id: number): void {
    if (this.#sequences.has(id)) fail(`The sequence ${id} is already in the KV cache.`);
    this.#sequences.set(id, { pages: [], length: 0, tainted: false });
  }

  remove(id: number): void {
    for (const page of this.#sequence(id).pages) this.#release(page);
    this.#sequences.delete(id);
  }

  fork(parentId: number, id: number, tokens: number): void {
    const parent = this.#sequence(parentId);
    if (this.#sequences.has(id)) fail(`The sequence ${id} is already in the KV cache.`);
    if (tokens > parent.length) fail('The fork position is beyond the sequence.');
    const whole = Math.floor(tokens / SLOTS);
    const pages = parent.pages.slice(0, whole);
    for (const page of pages) this.#references[page]++;
    if (tokens % SLOTS !== 0) {
      const copy = this.#take();
      const from = parent.pages[whole] * SLOTS;
      const copied = this.world.options.wrong?.forks ? 0 : tokens % SLOTS;
      this.#slots.copyWithin(copy * SLOTS, from, from + copied);
      pages.push(copy);
    }
    this.#sequences.set(id, { pages, length: tokens, tainted: parent.tainted });
  }

  pop(id: number, tokens: number): void {
    const sequence = this.#sequence(id);
    if (tokens > sequence.length) fail('Popped more tokens than the sequence has.');
    sequence.length -= tokens;
    const pages = Math.ceil(sequence.length / SLOTS);
    while (sequence.pages.length > pages) this.#release(sequence.pages.pop() ?? 0);
    const last = sequence.pages.at(-1);
    if (sequence.length % SLOTS !== 0 && last !== undefined && this.#references[last] > 1) {
      this.world.corruptions.push('A pop left a sequence writing into a shared page.');
    }
    if (this.world.options.wrong?.pops) sequence.tainted = true;
  }

  begin(ids: number[], lengths: number[]): void {
    this.world.check();
    if (this.#forward !== undefined) fail('begin_forward without end_forward.');
    if (ids.length > this.maxSequences) fail('The batch is larger than the cache was made for.');
    if (lengths.reduce((sum, n) => sum + n, 0) > this.chunk) fail('The chunk is too long.');
    if (new Set(ids).size !== ids.length) fail('A sequence is in the batch twice.');
    ids.forEach((id, i) => {
      const sequence = this.#sequence(id);
      const pages = Math.ceil((sequence.length + lengths[i]) / SLOTS);
      while (sequence.pages.length < pages) sequence.pages.push(this.#take());
      const last = Math.floor(sequence.length / SLOTS);
      if (sequence.length % SLOTS !== 0 && this.#references[sequence.pages[last]] > 1) {
        this.world.corruptions.push('A forward writes into a shared page.');
      }
    });
    this.#forward = { ids, lengths };
    this.world.forwards++;
  }

  end(): void {
    if (this.#forward === undefined) fail('end_forward without begin_forward.');
    this.#forward = undefined;
  }

  /** Writes the batch's tokens and returns the hash of each member's history after each of them. */
  run({ data: tokens, isPart }: Pick<Tensor, 'data' | 'isPart'>): number[] {
    if (isPart) fail('A kernel was given part of a tensor.');
    this.world.fed.push([...tokens]);
    if (this.#forward === undefined) fail('A forward without begin_forward.');
    const { ids, lengths } = this.#forward ?? { ids: [], lengths: [] };
    const hashes: number[] = [];
    let at = 0;
    ids.forEach((id, member) => {
      const sequence = this.#sequence(id);
      const earlier = sequence.length;
      const count = lengths[member];
      for (let i = 0; i < count; i++) {
        this.#slots[this.#address(sequence, earlier + i)] = tokens[at++];
      }
      sequence.length += count;
      let hash = 0x811c9dc5;
      for (let i = 0; i < sequence.length; i++) {
        hash = Math.imul(hash ^ (this.#slots[this.#address(sequence, i)] + i), 0x01000193);
        hash ^= hash >>> 13;
        if (i < earlier) continue;
        const { wrong } = this.world.options;
        // As on a real GPU, what a wrong chunk leaves in the cache stays wrong.
        if (wrong?.chunks && earlier > 0 && count > 1) sequence.tainted = true;
        const off = (wrong?.batches && member > 0) || sequence.tainted;
        hashes.push(off ? ~hash : hash);
      }
    });
    if (at !== tokens.length) fail('The forward has other tokens than begin_forward was told of.');
    return hashes;
  }

  /** A sequence's slots, for swapping out; and back. */
  read(id: number): Int32Array {
    const sequence = this.#sequence(id);
    return Int32Array.from(
      { length: sequence.length },
      (_, i) => this.#slots[this.#address(sequence, i)],
    );
  }

  write(id: number, tokens: ArrayLike<number>): void {
    const sequence = this.#sequence(id);
    while (sequence.pages.length * SLOTS < tokens.length) sequence.pages.push(this.#take());
    sequence.length = tokens.length;
    for (let i = 0; i < tokens.length; i++) this.#slots[this.#address(sequence, i)] = tokens[i];
  }

  #address(sequence: CachedSequence, position: number): number {
    return sequence.pages[Math.floor(position / SLOTS)] * SLOTS + (position % SLOTS);
  }

  #sequence(id: number): CachedSequence {
    this.use();
    const sequence = this.#sequences.get(id);
    if (sequence === undefined)
      throw new Error(`The sequence ${id} cannot be found in the KV cache.`);
    return sequence;
  }

  #take(): number {
    const page = this.#free.pop();
    if (page === undefined) throw new Error('The KV cache is full. No page can be allocated.');
    this.#references[page] = 1;
    return page;
  }

  #release(page: number): void {
    if (--this.#references[page] > 0) return;
    this.#slots.fill(-1, page * SLOTS, (page + 1) * SLOTS);
    this.#free.push(page);
  }
}

function fail(message: string): never {
  throw new Error(`Check failed: ${message}`);
}

/** Logits of a history: spread evenly over (-3, 3), different for every hash and token. */
function logitsOf(hash: number): Float32Array {
  return Float32Array.from({ length: VOCABULARY }, (_, token) => {
    let x = Math.imul(hash ^ Math.imul(token + 1, 0x9e3779b1), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 15), 0xc2b2ae35);
    return (((x ^ (x >>> 16)) >>> 0) / 2 ** 32) * 6 - 3;
  });
}

class Tokenizer {
  #disposed = false;

  dispose(): void {
    this.#disposed = true;
  }

  encode(text: string): Int32Array {
    this.#check();
    const ids: number[] = [];
    for (const piece of text.split(/(<\|[a-z_]+\|>)/)) {
      const special = SPECIAL.indexOf(piece);
      if (special >= 0) ids.push(256 + special);
      else ids.push(...new TextEncoder().encode(piece));
    }
    return Int32Array.from(ids);
  }

  decode(ids: Int32Array): string {
    this.#check();
    const bytes: number[] = [];
    for (const id of ids)
      bytes.push(...(id < 256 ? [id] : new TextEncoder().encode(SPECIAL[id - 256] ?? '')));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }

  getVocabSize(): number {
    return 256 + SPECIAL.length;
  }

  #check(): void {
    if (this.#disposed)
      throw new Error('Cannot pass deleted object as a pointer of type Tokenizer*');
  }

  /** Bytes as GPT-2's byte-level tokenizers write them. */
  idToToken(id: number): string {
    if (id >= 256) return SPECIAL[id - 256] ?? '';
    const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    if (printable(id)) return String.fromCharCode(id);
    let shifted = 256;
    for (let b = 0; b < id; b++) if (!printable(b)) shifted++;
    return String.fromCharCode(shifted);
  }
}

const EMBEDDER = { maxBatchSize: 4, config: { context_window_size: 64 } };
const BERT_SPECIAL = ['[CLS]', '[SEP]'];

/** As BERT's: it knows [CLS] and [SEP] where they are written, adds none, and cuts off what is too long. */
class EmbeddingTokenizer extends Tokenizer {
  override encode(text: string): Int32Array {
    const ids = text.split(/(\[CLS\]|\[SEP\])/).flatMap((piece) => {
      const special = BERT_SPECIAL.indexOf(piece);
      return special >= 0 ? [256 + special] : Array.from(super.encode(piece));
    });
    return Int32Array.from(ids.slice(0, EMBEDDER.config.context_window_size));
  }

  override idToToken(id: number): string {
    return id >= 256 ? (BERT_SPECIAL[id - 256] ?? '') : super.idToToken(id);
  }

  override getVocabSize(): number {
    return 256 + BERT_SPECIAL.length;
  }
}

/** A vector that depends on all of the tokens; none of length 1. */
function vectorOf(ids: readonly number[]): number[] {
  let hash = 0x811c9dc5;
  for (const id of ids) hash = Math.imul(hash ^ id, 0x01000193);
  return Array.from({ length: 8 }, (_, i) => 1 + ((hash >>> (4 * i)) & 15));
}

/** The rows that stand for a picture; they depend on all of its pixels. */
function rowsOf({ pixels, crop: [height, width] }: SeenImage, missing: number): number[] {
  const rows = height * 12 * (width * 12 + 1) + 1 + 12 * 13 - missing;
  let hash = 0x811c9dc5;
  for (const value of pixels) hash = Math.imul(hash ^ value, 0x01000193);
  return Array.from({ length: rows }, (_, row) => 1000 + (((hash >>> 12) + row) % 2 ** 20));
}

type Raw = (...args: never[]) => unknown;

/** The library's functions, and the runtime's. */
function functionsOf(world: StandIn, gpu: Device) {
  const number = (value: unknown) => (value as { value: number }).value;
  const shape = (value: unknown) => (value as ShapeTuple).values;
  const logits = (hashes: number[], dims: number[]) => {
    const tensor = new Tensor(world, dims, 'float32', gpu);
    world.writeLogits(tensor.data, hashes);
    return new List(world, [tensor]);
  };
  const imageEmbed = (pixels: Tensor, ...args: unknown[]) => {
    const [resizeHeight, resizeWidth, cropHeight, cropWidth] = args
      .slice(0, 4)
      .map((size) => shape(size)[0]);
    const seen: SeenImage = {
      shape: pixels.shape,
      dtype: pixels.dtype,
      pixels: [...pixels.data],
      resize: [resizeHeight, resizeWidth],
      crop: [cropHeight, cropWidth],
    };
    world.images.push(seen);
    const rows = rowsOf(seen, world.options.wrong?.images ? 1 : 0);
    return new Tensor(world, [rows.length, 1], 'float32', gpu, Float32Array.from(rows));
  };
  const library: Record<string, Raw> = {
    _metadata: () => JSON.stringify(world.metadata),
    embed: (ids: Tensor, params: Handle) => {
      ids.use();
      params.use();
      world.embedded.push([...ids.data]);
      return new Tensor(world, [ids.data.length, 1], 'float32', gpu, Float32Array.from(ids.data));
    },
    create_tir_paged_kv_cache: (n: unknown, tokens: unknown, chunk: unknown) => {
      if (shape(tokens)[0] > (world.options.mostKvTokens ?? Number.POSITIVE_INFINITY)) {
        queueMicrotask(() => world.loseDevice('out of memory'));
      }
      return new PagedCache(world, shape(n)[0], shape(tokens)[0], shape(chunk)[0]);
    },
    batch_prefill: (hidden: Tensor, positions: Tensor, cache: PagedCache) => {
      const hashes = cache.run(hidden);
      const rows = [...positions.data].map((position) => hashes[position]);
      return logits(rows, [1, rows.length, VOCABULARY]);
    },
    prefill: (hidden: Tensor, cache: PagedCache) =>
      logits([cache.run(hidden).at(-1) ?? 0], [1, 1, VOCABULARY]),
    decode: (hidden: Tensor, cache: PagedCache) => logits(cache.run(hidden), [1, 1, VOCABULARY]),
    batch_decode: (hidden: Tensor, cache: PagedCache) => {
      const hashes = cache.run(hidden);
      return logits(hashes, [hashes.length, 1, VOCABULARY]);
    },
    ...(world.options.samplesOnGpu ? samplingKernels(world, gpu) : {}),
    ...(world.options.vision === undefined ? {} : { image_embed: imageEmbed }),
  };
  const kv = 'vm.builtin.kv_state_';
  const attention = 'vm.builtin.attention_kv_cache_';
  const runtime: Record<string, Raw> = {
    [`${kv}clear`]: (cache: PagedCache) => cache.clear(),
    [`${kv}add_sequence`]: (cache: PagedCache, id: unknown) => cache.add(number(id)),
    [`${kv}remove_sequence`]: (cache: PagedCache, id: unknown) => cache.remove(number(id)),
    [`${kv}fork_sequence`]: (cache: PagedCache, parent: unknown, id: unknown, tokens: unknown) =>
      cache.fork(number(parent), number(id), number(tokens)),
    [`${kv}popn`]: (cache: PagedCache, id: unknown, tokens: unknown) =>
      cache.pop(number(id), number(tokens)),
    [`${kv}begin_forward`]: (cache: PagedCache, ids: unknown, lengths: unknown) =>
      cache.begin(shape(ids), shape(lengths)),
    [`${kv}end_forward`]: (cache: PagedCache) => cache.end(),
    [`${attention}get_num_available_pages`]: (cache: PagedCache) => cache.availablePages,
    'runtime.TVMTensorCreateView': (of: Tensor, dims: unknown, _dtype: unknown, offset: unknown) =>
      of.part(shape(dims), number(offset)),
    'tvmjs.runtime.ConcatEmbeddings': (...parts: Tensor[]) => {
      const [{ shape: first, dtype }] = parts;
      if (parts.some((part) => part.shape.length !== 2 || part.shape[1] !== first[1])) {
        fail('The embeddings are not of one size.');
      }
      const rows = parts.reduce((sum, part) => sum + part.shape[0], 0);
      const joined = new Tensor(world, [rows, first[1]], dtype, gpu);
      let at = 0;
      for (const { data } of parts) {
        joined.data.set(data, at);
        at += data.length;
      }
      return joined;
    },
    ...(world.options.swaps ? swapFunctions(number) : {}),
  };
  for (const name of world.options.lacks ?? []) {
    delete library[name];
    delete runtime[name];
  }
  return { library, runtime };
}

/**
 * The checkpoint functions, with one page group that holds the whole sequence. As TVM's own tests
 * have them: sequence 0 alone, which an import adds and which is of no use until it is finished.
 */
function swapFunctions(number: (value: unknown) => number): Record<string, Raw> {
  const attention = 'vm.builtin.attention_kv_cache_';
  let imported: { length: number; tokens?: ArrayLike<number> } | undefined;
  const only = (id: unknown) => {
    if (number(id) !== 0) fail('KV cache checkpoints only support sequence id 0.');
  };
  return {
    [`${attention}get_checkpoint_metadata`]: (cache: PagedCache, id: unknown) => {
      only(id);
      const { length } = cache.read(0);
      const group = {
        group_index: 0,
        layer_begin: 0,
        layer_end: 2,
        shape: [length],
        dtype: 'int32',
      };
      return JSON.stringify({ seq_length: length, groups: [group] });
    },
    [`${attention}export_page_group`]: (
      cache: PagedCache,
      id: unknown,
      _group: unknown,
      to: Tensor,
    ) => {
      only(id);
      to.data.set(cache.read(0));
    },
    [`${attention}prepare_import`]: (_cache: PagedCache, id: unknown, metadata: string) => {
      only(id);
      imported = { length: (JSON.parse(metadata) as { seq_length: number }).seq_length };
    },
    [`${attention}import_page_group`]: (
      _cache: PagedCache,
      id: unknown,
      _group: unknown,
      from: Tensor,
    ) => {
      only(id);
      if (imported === undefined) return fail('The import has not been prepared.');
      imported.tokens = Array.from(from.data);
    },
    [`${attention}finish_import`]: (cache: PagedCache, id: unknown) => {
      only(id);
      if (imported?.tokens === undefined) return fail('The import is missing group 0.');
      cache.add(0);
      cache.write(0, imported.tokens);
      imported = undefined;
    },
  };
}

/** MLC's sampling kernels, by their definitions. */
function samplingKernels(world: StandIn, gpu: Device): Record<string, Raw> {
  const at = (row: number, token: number) => row * VOCABULARY + token;
  return {
    softmax_with_temperature: (logits: Tensor, temperatures: Tensor) => {
      const probs = new Tensor(world, [...logits.shape], 'float32', gpu);
      for (let row = 0; row < logits.shape[0]; row++) {
        const values = Array.from(logits.data.subarray(at(row, 0), at(row + 1, 0)));
        const max = Math.max(...values);
        const weights = values.map((v) => Math.exp((v - max) / temperatures.data[row]));
        const sum = weights.reduce((a, b) => a + b, 0);
        probs.data.set(
          weights.map((w) => w / sum),
          at(row, 0),
        );
      }
      return probs;
    },
    argsort_probs: (probs: Tensor) => {
      const sorted = new Tensor(world, [...probs.shape], 'float32', gpu);
      const indices = new Tensor(world, [...probs.shape], 'int32', gpu);
      for (let row = 0; row < probs.shape[0]; row++) {
        const order = Array.from({ length: VOCABULARY }, (_, token) => token).sort(
          (a, b) => probs.data[at(row, b)] - probs.data[at(row, a)] || a - b,
        );
        indices.data.set(order, at(row, 0));
        sorted.data.set(
          order.map((token) => probs.data[at(row, token)]),
          at(row, 0),
        );
      }
      return new List(world, [sorted, indices]);
    },
    sample_with_top_p: (
      sorted: Tensor,
      indices: Tensor,
      uniform: Tensor,
      sampleIndices: Tensor,
      topP: Tensor,
    ) => {
      const drawn = new Tensor(world, [sampleIndices.data.length], 'int32', gpu);
      sampleIndices.data.forEach((row, i) => {
        // The kernel keeps tokens while the sum before them is below top_p.
        let kept = 0;
        let sum = 0;
        while (kept < VOCABULARY && sum < topP.data[row]) sum += sorted.data[at(row, kept++)];
        let left = uniform.data[i] * sum;
        let token = 0;
        while (token < kept - 1 && left >= sorted.data[at(row, token)]) {
          left -= sorted.data[at(row, token++)];
        }
        if (world.options.wrong?.sums) token -= token % 32;
        drawn.data[i] = indices.data[at(row, token + (world.options.wrong?.draws ? 1 : 0))];
      });
      return drawn;
    },
    apply_logit_bias_inplace: (logits: Tensor, rows: Tensor, tokens: Tensor, biases: Tensor) => {
      rows.data.forEach((row, i) => {
        logits.data[at(row, tokens.data[i])] += biases.data[i];
      });
    },
    apply_penalty_inplace: (
      logits: Tensor,
      rows: Tensor,
      positions: Tensor,
      tokens: Tensor,
      counts: Tensor,
      penalties: Tensor,
    ) => {
      positions.data.forEach((member, i) => {
        const index = at(rows.data[member], tokens.data[i]);
        const [presence, frequency, repetition] = penalties.data.subarray(member * 3);
        const value = logits.data[index] - (presence + counts.data[i] * frequency);
        const wrong = world.options.wrong?.penalties === true;
        logits.data[index] = value < 0 !== wrong ? value * repetition : value / repetition;
      });
    },
    apply_bitmask_inplace: (logits: Tensor, rows: Tensor, masks: Tensor) => {
      const words = masks.shape[1];
      for (const row of rows.data) {
        for (let token = 0; token < VOCABULARY; token++) {
          const word = masks.data[row * words + (token >>> 5)];
          if (((word >>> (token & 31)) & 1) === 0) logits.data[at(row, token)] = -3.4e38;
        }
      }
    },
  };
}

class ShapeTuple extends Handle {
  readonly values: number[];

  constructor(world: StandIn, values: number[]) {
    super(world);
    this.values = values;
  }
}

class List extends Handle {
  readonly #items: Tensor[];

  constructor(world: StandIn, items: Tensor[]) {
    super(world);
    this.#items = items;
  }

  get(index: number): Tensor {
    this.use();
    return this.#items[index];
  }
}

/** A runtime function: an object of the runtime that can be called. */
function packed(world: StandIn, run: Raw): Raw & { dispose(): void } {
  const handle = new Handle(world);
  const call = (...args: unknown[]) => {
    handle.use();
    if (world.broken !== undefined) throw new Error(world.broken);
    for (const arg of args) if (arg instanceof Handle) arg.use();
    return (run as (...args: unknown[]) => unknown)(...args);
  };
  // Scopes hold handles; a function is detached by its own.
  return Object.assign(call, { dispose: () => handle.dispose(), handle });
}

function makePipeline(world: StandIn, chatOptions: ChatOptions) {
  const ownCacheTokens = chatOptions.context_window_size ?? world.metadata.context_window_size;
  const gpu = new Device(world, 'gpu');
  const cpu = new Device(world, 'cpu');
  const { library, runtime } = functionsOf(world, gpu);
  const find = (functions: Record<string, Raw>, name: string) => {
    const run = functions[name];
    if (run === undefined) throw new Error(`Cannot find function ${name}`);
    return packed(world, run);
  };
  const tvm = {
    beginScope: () => {
      world.scopes.push([]);
    },
    endScope: () => {
      const scope = world.scopes.pop();
      if (scope === undefined) throw new Error('tvm.endScope called when the stack is empty.');
      for (const object of scope) object.dispose();
    },
    detachFromCurrentScope: <T extends object>(object: T): T => {
      const handle = 'handle' in object ? object.handle : object;
      const scope = world.scopes.at(-1) ?? [];
      const at = scope.indexOf(handle as Handle);
      if (at < 0) throw new Error('Cannot find obj in the current auto conversion pool');
      scope.splice(at, 1);
      return object;
    },
    attachToCurrentScope: <T extends Handle>(object: T): T => {
      world.scopes.at(-1)?.push(object);
      return object;
    },
    getGlobalFunc: (name: string) => find(runtime, name),
    makeShapeTuple: (values: number[]) => new ShapeTuple(world, values),
    scalar: (value: number, dtype: string) => ({ value, dtype }),
    empty: (shape: number[], dtype: string, device: Device) => {
      if (world.lost) throw new Error('The runtime is gone with its device.');
      return new Tensor(world, shape, dtype, device);
    },
    cpu: () => cpu,
    concatEmbeddings: (parts: Tensor[]) =>
      find(runtime, 'tvmjs.runtime.ConcatEmbeddings')(...(parts as never[])) as Tensor,
  };
  const vm = {
    // Undefined where there is none; older runtimes throw.
    getFunction: (name: string) => (name in library ? find(library, name) : undefined),
  };
  tvm.beginScope();
  const params = tvm.detachFromCurrentScope(new Handle(world));
  const embed = tvm.detachFromCurrentScope(find(library, 'embed'));
  const own = tvm.detachFromCurrentScope(
    new PagedCache(world, 1, ownCacheTokens, world.metadata.prefill_chunk_size),
  );
  own.add(0);
  tvm.endScope();
  const config = {
    vocab_size: VOCABULARY,
    sliding_window_size: world.options.slidingWindow ?? -1,
    temperature: 0.7,
    top_p: 0.9,
    conv_template: TEMPLATE,
    tokenizer_info: { token_postproc_method: 'byte_level', prepend_space_in_encode: false },
    model_type: world.options.vision ?? 'stand-in',
    ...chatOptions,
    context_window_size: ownCacheTokens,
  };
  const tokenizer = new Tokenizer();
  const imageDataCache: ImagePipeline['imageDataCache'] = new Map();
  const { prefill_chunk_size: prefillChunkSize } = world.metadata;
  /** A chunk for the one sequence there is: texts, and images whose pixels have been laid ready. */
  const embedAndForward = async (input: (number[] | { url: string })[], length: number) => {
    if (length > prefillChunkSize) throw new Error('InternalError: the chunk is too long.');
    const rows = input.map((part) => {
      if (Array.isArray(part)) {
        return embed(
          tvm.empty([part.length], 'int32', gpu).copyFrom(part) as never,
          params as never,
        );
      }
      const image = imageDataCache.get(part.url);
      if (image === undefined) throw new Error(`Nothing is fetched here: ${part.url}`);
      const { width, height, data } = image;
      const shape = phi3vShape(width, height);
      if (shape === undefined) throw new Error('The image is too narrow.');
      const rgb = data.filter((_, i) => i % 4 < 3);
      const one = (size: number) => tvm.makeShapeTuple([size]) as never;
      const { resize, crop } = shape;
      return find(library, 'image_embed')(
        tvm.empty([1, height, width, 3], 'uint32', gpu).copyFrom(rgb) as never,
        one(resize.height),
        one(resize.width),
        one(crop.height),
        one(crop.width),
        params as never,
      );
    });
    const joined = tvm.concatEmbeddings(rows as Tensor[]);
    if (joined.shape[0] !== length) throw new Error('InternalError: the lengths differ.');
    await new Promise((resolve) => setTimeout(resolve, 0));
    return runOwn(joined);
  };
  const runOwn = (rows: Tensor) => {
    own.begin([0], [rows.data.length]);
    const hash = own.run(rows).at(-1) ?? 0;
    own.end();
    return tvm.empty([1, 1, VOCABULARY], 'float32', gpu).copyFrom(logitsOf(hash));
  };
  const pipeline = {
    tvm,
    vm,
    device: gpu as TvmDevice,
    params,
    embed,
    tokenizer,
    config,
    imageDataCache,
    prefillChunkSize,
    embedAndForward,
    dispose: () => {
      for (const object of [params, embed, own, tokenizer]) object.dispose();
    },
  };
  world.options.dress?.(
    pipeline as unknown as MlcPipeline,
    runOwn as unknown as (rows: TvmTensor) => TvmTensor,
  );
  return { pipeline, own };
}

type LogitProcessor = { processLogits(logits: Float32Array): Float32Array };

function makeWebLlm(world: StandIn): WebLlmModule {
  class MLCEngine {
    readonly loadedModelIdToPipeline = new Map<
      string,
      | ReturnType<typeof makePipeline>['pipeline']
      | (typeof EMBEDDER & { tokenizer: Tokenizer; dispose(): void })
    >();
    readonly #config: {
      initProgressCallback?: (report: {
        progress: number;
        timeElapsed: number;
        text: string;
      }) => void;
      logitProcessorRegistry?: Map<string, LogitProcessor>;
    };
    #own: PagedCache | undefined;
    #aborted = false;

    constructor(config: MLCEngine['config']) {
      this.#config = config;
    }

    get config() {
      return this.#config;
    }

    async reload(modelId: string, options: ChatOptions = {}): Promise<void> {
      this.#letGo(); // as the real one does
      this.#aborted = false;
      const report = (progress: number, text: string) =>
        this.#config.initProgressCallback?.({ progress, timeElapsed: 1, text });
      report(0, 'Start to fetch params');
      const adapter = await world.gpu.requestAdapter();
      const device = await adapter?.requestDevice();
      report(0.5, 'Fetching param cache[1/2]: 10MB fetched. 50% completed, 1 secs elapsed.');
      if (world.options.loadMs) await new Promise((r) => setTimeout(r, world.options.loadMs));
      if (this.#aborted) return; // as the real one does
      if (world.options.loadError !== undefined) throw world.options.loadError;
      const { slidingWindow } = world.options;
      if (slidingWindow !== undefined && options.context_window_size !== undefined) {
        const error = new Error(
          'Only one of context_window_size and sliding_window_size may be set',
        );
        throw Object.assign(error, { name: 'WindowSizeConfigurationError' });
      }
      device?.createShaderModule({ code: MERGE_STATE_KERNEL });
      if (modelId === STAND_IN_EMBEDDER) {
        const tokenizer = new EmbeddingTokenizer();
        const dispose = () => tokenizer.dispose();
        this.loadedModelIdToPipeline.set(modelId, { ...EMBEDDER, tokenizer, dispose });
        void device?.lost.then(() => this.unload());
        return;
      }
      report(1, 'Loading GPU shader modules[1/1]: 100% completed, 0 secs elapsed.');
      const { pipeline, own } = makePipeline(world, options);
      this.#own = own;
      this.loadedModelIdToPipeline.set(modelId, pipeline);
      void device?.lost.then(() => this.unload());
    }

    async unload(): Promise<void> {
      this.#aborted = true;
      this.#letGo();
    }

    #letGo(): void {
      for (const pipeline of this.loadedModelIdToPipeline.values()) pipeline.dispose();
      this.loadedModelIdToPipeline.clear();
    }

    async resetChat(): Promise<void> {
      this.#own?.remove(0);
      this.#own?.add(0);
    }

    async embedding({ input, model }: { input: number[][]; model: string }) {
      if (!this.loadedModelIdToPipeline.has(model)) throw new Error(`${model} is not loaded.`);
      const { maxBatchSize: most, config } = EMBEDDER;
      if (input.length > most) throw new Error(`A forward takes ${most} inputs.`);
      if (input.some(({ length }) => length < 1 || length > config.context_window_size)) {
        throw new Error('EmbeddingExceedContextWindowSizeError');
      }
      world.embeddings.push(input);
      await new Promise((resolve) => setTimeout(resolve, 0));
      world.check();
      // As the real one: what shorter inputs are padded with is attended to.
      const longest = Math.max(...input.map(({ length }) => length));
      const padded = input.map((ids) => [...ids, ...new Array(longest - ids.length).fill(0)]);
      return { data: padded.map((ids, index) => ({ index, embedding: vectorOf(ids) })) };
    }

    /** Feeds tokens to the one sequence there is, in chunks, and samples. */
    async forwardTokensAndSample(ids: number[]): Promise<number> {
      const own = this.#own;
      if (own === undefined) throw new Error('Engine not loaded');
      let hash = 0;
      for (let at = 0; at < ids.length; at += own.chunk) {
        const chunk = ids.slice(at, at + own.chunk);
        own.begin([0], [chunk.length]);
        hash = own.run({ data: Int32Array.from(chunk), isPart: false }).at(-1) ?? 0;
        own.end();
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
      const processor = this.#config.logitProcessorRegistry?.get(STAND_IN_MODEL);
      const logits = processor?.processLogits(logitsOf(hash)) ?? logitsOf(hash);
      return logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
    }
  }
  return {
    MLCEngine,
    prebuiltAppConfig: {
      model_list: [
        { model_id: STAND_IN_MODEL, required_features: ['shader-f16'] },
        { model_id: STAND_IN_EMBEDDER, model_type: 1 },
      ],
    },
  } as unknown as WebLlmModule;
}
