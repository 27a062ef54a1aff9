/**
 * Everything Tempo touches inside WebLLM, declared here and nowhere else.
 *
 * None of it is public API: `readInternals` looks at what a loaded engine really has, and says in a
 * sentence what is missing. Checked with, in Node on Dawn and with random weights:
 *
 * - @mlc-ai/web-llm 0.2.79 and libraries of v0_2_48 (gpt2, Qwen2): all of it but what those lack
 *   (SAMPLING_FUNCTIONS, SWAP_FUNCTIONS), also in Chromium (test/real).
 * - 0.2.86, the version that Tempo depends on, and libraries of v0_2_80 for an embedding model
 *   (snowflake-arctic-embed; no language model's was at hand), by test/real/newest-runtime.ts: the
 *   shape, scopes, tensors, copies and sync, SAMPLING_FUNCTIONS, RUNTIME_FUNCTIONS on a KV cache of the
 *   runtime's own with kernels that do nothing, aborts, a lost device, what unload leaves. Two of the
 *   library's imports, which 0.2.86 leaves out, were made up.
 * - 0.2.86 and libraries of the summer of 2025 (gpt2, Qwen2; an early v0_2_80 with an interface of its
 *   own, to which the names and offsets in 0.2.86's bindings were changed for the run):
 *   LIBRARY_FUNCTIONS, SINGLE_FUNCTIONS, and with them the self-test (gpt2) and texts that are the
 *   same alone and in a batch (Qwen2). Those libraries cannot sample on the GPU.
 * - EmbeddingParts: 0.2.86 and that same embedding model's library, by test/real/embeddings.ts.
 * - Read only: IMAGE_FUNCTION and ImagePipeline, as no vision model's library was at hand.
 *   IMAGE_RUNTIME_FUNCTIONS were, by test/real/newest-runtime.ts.
 * - Read only: SWAP_FUNCTIONS, which no runtime at hand has. WebLLM calls them for sequence 0 alone, and
 *   TVM's own test of them expects every other sequence to be refused.
 */

/** Values that TVM keeps outside JavaScript's heap. */
export interface TvmObject {
  dispose(): void;
}

/** `NDArray` in 0.2.79, `Tensor` in 0.2.86. */
export interface TvmTensor extends TvmObject {
  readonly shape: readonly number[];
  readonly dtype: string;
  view(shape: number[]): TvmTensor;
  /** From another tensor (on any device) or from as many numbers as there are elements. */
  copyFrom(data: TvmTensor | ArrayLike<number>): TvmTensor;
  copyFromRawBytes(bytes: Uint8Array): TvmTensor;
  /** CPU tensors only: a copy of the contents. */
  toArray(): Float32Array | Int32Array;
  toRawBytes(): Uint8Array;
}

/** `TVMArray`: what functions with several results return. */
export interface TvmArray extends TvmObject {
  get(index: number): TvmTensor;
}

/** A number with the type that a TVM function wants. */
type TvmScalar = object;

export interface TvmDevice {
  /** All commands so far are sent, and all copies to the CPU so far are there. */
  sync(): Promise<void>;
}

type TvmArgument = TvmObject | TvmScalar | TvmDevice | number | string | null;

/** A function of the library or the runtime. What it returns belongs to the current scope. */
export interface TvmFunction extends TvmObject {
  (...args: TvmArgument[]): unknown;
}

/** tvmjs `Instance`. */
export interface TvmInstance {
  beginScope(): void;
  endScope(): void;
  detachFromCurrentScope<T extends TvmObject>(object: T): T;
  getGlobalFunc(name: string): TvmFunction;
  makeShapeTuple(shape: number[]): TvmObject;
  scalar(value: number, dtype: string): TvmScalar;
  empty(shape: number[], dtype: string, device: TvmDevice): TvmTensor;
  cpu(): TvmDevice;
}

/** tvmjs `VirtualMachine`. */
interface TvmVirtualMachine {
  /** Undefined where the library has no such function; up to 0.2.79, throws. */
  getFunction(name: string): TvmFunction;
}

/** @mlc-ai/web-tokenizers' `Tokenizer`. */
export interface MlcTokenizer {
  encode(text: string): Int32Array;
  decode(ids: Int32Array): string;
  getVocabSize(): number;
  idToToken(id: number): string;
  dispose(): void;
}

/** The part of mlc-chat-config.json that Tempo reads. */
export interface MlcChatConfig {
  vocab_size: number;
  context_window_size: number;
  sliding_window_size: number;
  temperature: number;
  top_p: number;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  repetition_penalty?: number | null;
  conv_template: MlcConversationTemplate;
  /** Overrides parts of the template. */
  conv_config?: Partial<MlcConversationTemplate>;
  tokenizer_info?: { token_postproc_method: string; prepend_space_in_encode: boolean };
  token_table_postproc_method?: string;
  /** The architecture, such as `phi3_v`. */
  model_type?: string;
  /** Of the architecture's own configuration: the tokens around an image, by their newer or older names. */
  model_config?: {
    vision_start_token_id?: number | null;
    vision_end_token_id?: number | null;
    boi_token_index?: number | null;
    eoi_token_index?: number | null;
  } | null;
}

export interface MlcConversationTemplate {
  system_template: string;
  system_message: string;
  roles: { user: string; assistant: string; tool?: string };
  role_templates?: { user?: string; assistant?: string; tool?: string };
  seps: string[];
  role_content_sep?: string;
  role_empty_sep?: string;
  stop_str: string[];
  stop_token_ids?: number[];
  system_prefix_token_ids?: number[];
  add_role_after_system_message?: boolean;
  render_empty_system_message?: boolean;
}

/** `LLMChatPipeline`. */
export interface MlcPipeline {
  readonly tvm: TvmInstance;
  readonly vm: TvmVirtualMachine;
  readonly device: TvmDevice;
  /** The weights, as the library's functions take them. */
  readonly params: TvmObject;
  /** Token ids [n] to embeddings [n, hidden]. */
  embed: TvmFunction;
  readonly tokenizer: MlcTokenizer;
  readonly config: MlcChatConfig;
}

/** What a library's `_metadata` function returns as JSON. */
export interface LibraryMetadata {
  readonly model_type: string;
  /** Tokens; -1 where there is no limit. */
  readonly context_window_size: number;
  readonly sliding_window_size: number;
  /** Tokens that one forward may take. */
  readonly prefill_chunk_size: number;
  readonly kv_state_kind?: string;
  /** Sequences that one forward may take. */
  readonly max_batch_size?: number;
  readonly quantization?: string;
  readonly kv_cache?: {
    readonly num_hidden_layers: number;
    readonly num_key_value_heads: number;
    readonly head_dim: number;
  };
  readonly params: readonly {
    readonly name: string;
    readonly shape: readonly (number | string)[];
    readonly dtype: string;
  }[];
}

/** What `readInternals` found. */
export interface Internals {
  readonly pipeline: MlcPipeline;
  readonly metadata: LibraryMetadata;
}

/** Functions of the library that batched serving needs. */
const LIBRARY_FUNCTIONS = [
  'embed',
  'batch_prefill',
  'batch_decode',
  'create_tir_paged_kv_cache',
  '_metadata',
] as const;

/** Functions for one sequence alone, where the library has them: faster for it than the batch's. */
export const SINGLE_FUNCTIONS = ['prefill', 'decode'] as const;

/** Functions of the runtime that batched serving needs. */
export const RUNTIME_FUNCTIONS = {
  clear: 'vm.builtin.kv_state_clear',
  addSequence: 'vm.builtin.kv_state_add_sequence',
  removeSequence: 'vm.builtin.kv_state_remove_sequence',
  forkSequence: 'vm.builtin.kv_state_fork_sequence',
  popTokens: 'vm.builtin.kv_state_popn',
  beginForward: 'vm.builtin.kv_state_begin_forward',
  endForward: 'vm.builtin.kv_state_end_forward',
  availablePages: 'vm.builtin.attention_kv_cache_get_num_available_pages',
} as const;

/** Vision models' libraries have it: pixels to the rows of an image's embedding. */
export const IMAGE_FUNCTION = 'image_embed';

/** Functions of the runtime by which rows of images and of texts come to stand in one batch. */
export const IMAGE_RUNTIME_FUNCTIONS = {
  /** Part of a tensor, from a byte on. */
  view: 'runtime.TVMTensorCreateView',
  /** Tensors [n, hidden], one after the other. */
  join: 'tvmjs.runtime.ConcatEmbeddings',
} as const;

/** Functions of newer libraries (0.2.80 on) that sample on the GPU. */
export const SAMPLING_FUNCTIONS = [
  'softmax_with_temperature',
  'argsort_probs',
  'sample_with_top_p',
  'apply_logit_bias_inplace',
  'apply_penalty_inplace',
  'apply_bitmask_inplace',
] as const;

/**
 * Functions of the newest runtimes (0.2.86 looks for them) that copy sequence 0's pages out and in,
 * and no other's (TVM's tests of them). The runtimes in v0_2_48 and v0_2_80 have none of them.
 */
export const SWAP_FUNCTIONS = {
  metadata: 'vm.builtin.attention_kv_cache_get_checkpoint_metadata',
  exportGroup: 'vm.builtin.attention_kv_cache_export_page_group',
  prepareImport: 'vm.builtin.attention_kv_cache_prepare_import',
  importGroup: 'vm.builtin.attention_kv_cache_import_page_group',
  finishImport: 'vm.builtin.attention_kv_cache_finish_import',
} as const;

/**
 * Looks into a loaded `MLCEngine`. Returns what is there, or a sentence on why batched serving is
 * not possible with it.
 */
export function readInternals(engine: unknown, modelId: string): Internals | string {
  return inspected(engine, modelId, (pipeline) => {
    const part = missingPart(pipeline);
    if (part !== undefined) return missing(part);
    const checked = pipeline as MlcPipeline;
    const absent = missingFunction(checked);
    if (absent !== undefined) return `This model library has no function ${absent}.`;
    const metadata = readMetadata(checked);
    return typeof metadata === 'string' ? metadata : { pipeline: checked, metadata };
  });
}

const TOKENIZER = ['encode', 'decode', 'getVocabSize', 'idToToken', 'dispose'];

/** The parts of a pipeline that text needs; batched serving needs all the others too. */
export type TextParts = Pick<MlcPipeline, 'tokenizer' | 'config'>;

/** Looks for the parts that even serial serving needs, for which WebLLM has no public API. */
export function readTextParts(engine: unknown, modelId: string): TextParts | string {
  return inspected(engine, modelId, (pipeline) => {
    const absent = missingMethod(property(pipeline, 'tokenizer'), 'pipeline.tokenizer', TOKENIZER);
    if (absent !== undefined) return missing(absent);
    if (typeof property(property(pipeline, 'config'), 'conv_template') !== 'object') {
      return missing('pipeline.config.conv_template');
    }
    return pipeline as TextParts;
  });
}

/** The parts of `LLMChatPipeline` that feed images to the one sequence that WebLLM has. */
export interface ImagePipeline extends MlcPipeline {
  /** Computes a chunk: token ids, and images (by their addresses), all of it `length` tokens. */
  embedAndForward(input: (number[] | { url: string })[], length: number): Promise<TvmTensor>;
  /** Pixels by address; what is not in it, WebLLM fetches. */
  readonly imageDataCache: Map<string, { width: number; height: number; data: Uint8ClampedArray }>;
  /** Tokens that one forward may take. */
  readonly prefillChunkSize: number;
}

/** Looks for what serial serving of images needs. What is there, or a sentence on what is missing. */
export function readImagePipeline(engine: unknown, modelId: string): ImagePipeline | string {
  return inspected(engine, modelId, (pipeline) => {
    const absent = missingPart(pipeline);
    if (absent !== undefined) return missing(absent);
    // By a manifest, that is another function.
    if (hasManifest(pipeline)) return 'This model has a manifest, which says nothing of images.';
    if (typeof property(pipeline, 'embedAndForward') !== 'function') {
      return missing('pipeline.embedAndForward');
    }
    if (!(property(pipeline, 'imageDataCache') instanceof Map)) {
      return missing('pipeline.imageDataCache');
    }
    if (typeof property(pipeline, 'prefillChunkSize') !== 'number') {
      return missing('pipeline.prefillChunkSize');
    }
    return pipeline as ImagePipeline;
  });
}

/** Whether WebLLM loaded the model by a manifest, whose functions have other names and shapes. */
export function hasManifest(pipeline: unknown): boolean {
  return property(pipeline, 'artifact') !== undefined;
}

/** What a manifest says of a model's images. */
export interface ManifestImageInput {
  processor: {
    resize: { mode: 'stretch' | 'center_crop'; width: number; height: number };
    /** Rows of the embedding. */
    num_embeddings: number;
  };
  prompt: {
    prefix_token_ids: number[];
    suffix_token_ids: number[];
    placeholder_token_id: number;
  };
}

/** The parts of `LLMChatPipeline` that feed images to a model with a manifest. */
export interface ManifestPipeline extends MlcPipeline {
  getArtifactImageEmbeddings(part: {
    type: 'image_url';
    image_url: { url: string };
  }): Promise<TvmTensor>;
  sliceTensorRows(tensor: TvmTensor, start: number, count: number): TvmTensor;
  artifactPrefillAndForward(
    embeddings: TvmTensor,
    tokenIds: number[],
    modalityIds: number[],
  ): TvmTensor;
  /** Pixels by their size and address; what is not in it, WebLLM fetches. */
  readonly artifactImagePixelCache: Map<string, Uint8ClampedArray>;
  readonly prefillChunkSize: number;
}

/** A model's pipeline and what its manifest says of images; undefined where it has none, or says nothing. */
export function manifestPipeline(
  engine: unknown,
  modelId: string,
): { pipeline: ManifestPipeline; input: ManifestImageInput } | undefined {
  const pipeline = pipelinesOf(engine)?.get(modelId);
  const input = property(property(pipeline, 'artifact'), 'imageInput');
  const methods = ['getArtifactImageEmbeddings', 'sliceTensorRows', 'artifactPrefillAndForward'];
  const there =
    input !== undefined &&
    missingPart(pipeline) === undefined &&
    methods.every((method) => typeof property(pipeline, method) === 'function') &&
    property(pipeline, 'artifactImagePixelCache') instanceof Map &&
    typeof property(pipeline, 'prefillChunkSize') === 'number';
  return there
    ? { pipeline: pipeline as ManifestPipeline, input: input as ManifestImageInput }
    : undefined;
}

/** The parts of `EmbeddingPipeline` that are of use beside WebLLM's public API. */
export interface EmbeddingParts {
  readonly tokenizer: MlcTokenizer;
  readonly config: Pick<MlcChatConfig, 'context_window_size'>;
  /** Inputs that one forward takes. */
  readonly maxBatchSize: number;
}

/** Looks into an `MLCEngine` with an embedding model. What is there, or a sentence on what is missing. */
export function readEmbeddingParts(engine: unknown, modelId: string): EmbeddingParts | string {
  return inspected(engine, modelId, (pipeline) => {
    const absent = missingMethod(property(pipeline, 'tokenizer'), 'pipeline.tokenizer', TOKENIZER);
    if (absent !== undefined) return missing(absent);
    const config = property(pipeline, 'config');
    if (typeof property(config, 'context_window_size') !== 'number') {
      return missing('pipeline.config.context_window_size');
    }
    if (typeof property(pipeline, 'maxBatchSize') !== 'number')
      return missing('pipeline.maxBatchSize');
    return pipeline as EmbeddingParts;
  });
}

/** A pipeline's parts, and the methods each must have. */
const SHAPE: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  [
    'tvm',
    [
      'beginScope',
      'endScope',
      'detachFromCurrentScope',
      'getGlobalFunc',
      'makeShapeTuple',
      'scalar',
      'empty',
      'cpu',
    ],
  ],
  ['vm', ['getFunction']],
  ['device', ['sync']],
  ['params', ['dispose']],
  ['embed', ['dispose']],
  ['tokenizer', TOKENIZER],
  ['config', []],
];

/** The first part of a pipeline that is not as expected. */
function missingPart(pipeline: unknown): string | undefined {
  for (const [path, methods] of SHAPE) {
    const value = path === '' ? pipeline : property(pipeline, path);
    if (typeof value !== 'object' && typeof value !== 'function') return `pipeline.${path}`;
    const absent = missingMethod(value, path === '' ? 'pipeline' : `pipeline.${path}`, methods);
    if (absent !== undefined) return absent;
  }
  return undefined;
}

/** The first method that is not there. */
function missingMethod(
  owner: unknown,
  path: string,
  methods: readonly string[],
): string | undefined {
  const method = methods.find((name) => typeof property(owner, name) !== 'function');
  return method && `${path}.${method}`;
}

function missing(what: string): string {
  return `This version of WebLLM has no ${what}.`;
}

/** The pipelines by model; undefined where this version of WebLLM keeps none. */
function pipelinesOf(engine: unknown): ReadonlyMap<unknown, unknown> | undefined {
  const pipelines = property(engine, 'loadedModelIdToPipeline');
  return pipelines instanceof Map ? pipelines : undefined;
}

/** What `read` finds in a model's pipeline, or a sentence on what is missing. */
function inspected<T>(
  engine: unknown,
  modelId: string,
  read: (pipeline: unknown) => T | string,
): T | string {
  const pipelines = pipelinesOf(engine);
  if (pipelines === undefined) return missing('MLCEngine.loadedModelIdToPipeline');
  return read(pipelines.get(modelId));
}

function property(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    return undefined;
  return Reflect.get(value, name);
}

/** The first function that batched serving needs and this library or runtime lacks. */
function missingFunction({ tvm, vm }: MlcPipeline): string | undefined {
  tvm.beginScope();
  try {
    for (const name of LIBRARY_FUNCTIONS) {
      if (!has(() => vm.getFunction(name))) return name;
    }
    for (const name of Object.values(RUNTIME_FUNCTIONS)) {
      if (!has(() => tvm.getGlobalFunc(name))) return name;
    }
    return undefined;
  } finally {
    tvm.endScope();
  }
}

/** Which of the library's functions named are there. */
export function libraryHas({ tvm, vm }: MlcPipeline, names: readonly string[]): boolean {
  tvm.beginScope();
  try {
    return names.every((name) => has(() => vm.getFunction(name)));
  } finally {
    tvm.endScope();
  }
}

/** Whether the runtime has all the functions named. */
export function runtimeHas({ tvm }: MlcPipeline, names: readonly string[]): boolean {
  tvm.beginScope();
  try {
    return names.every((name) => has(() => tvm.getGlobalFunc(name)));
  } finally {
    tvm.endScope();
  }
}

function has(find: () => unknown): boolean {
  try {
    return typeof find() === 'function';
  } catch {
    return false;
  }
}

function readMetadata({ tvm, vm }: MlcPipeline): LibraryMetadata | string {
  tvm.beginScope();
  try {
    const parsed: unknown = JSON.parse(String(vm.getFunction('_metadata')()));
    for (const field of ['context_window_size', 'sliding_window_size', 'prefill_chunk_size']) {
      if (typeof property(parsed, field) !== 'number') {
        return `This model library's metadata has no ${field}.`;
      }
    }
    if (!Array.isArray(property(parsed, 'params'))) {
      return "This model library's metadata has no params.";
    }
    return parsed as LibraryMetadata;
  } catch (error) {
    return `This model library's metadata cannot be read: ${String(error)}`;
  } finally {
    tvm.endScope();
  }
}

/** The GPU device that the runtime computes on, where that can be seen. */
export function runtimeDevice({ tvm }: MlcPipeline): GPUDevice | undefined {
  const device = property(property(property(tvm, 'lib'), 'webGPUContext'), 'device');
  return typeof property(device, 'createBuffer') === 'function' ? (device as GPUDevice) : undefined;
}

/** GPU buffers that TVM holds now, where that can be seen (`WebGPUContext.bufferTable`). */
export function gpuBuffers({ tvm }: MlcPipeline): { buffers: number; bytes: number } | undefined {
  const context = property(property(tvm, 'lib'), 'webGPUContext');
  const table = property(context, 'bufferTable');
  const free = property(context, 'bufferTableFreeId');
  const bytes = property(context, 'currAllocatedBytes');
  if (!Array.isArray(table) || !Array.isArray(free) || typeof bytes !== 'number') return undefined;
  return { buffers: table.length - 1 - free.length, bytes };
}

/**
 * Hears what `MLCEngine` feeds its model, for parity tests: each forward's token ids. With `pretend`
 * nothing is computed and the logits are all zero. Returns how to stop listening.
 */
export function listenToFeed(
  engine: unknown,
  modelId: string,
  heard: (tokens: number[]) => void,
  pretend = false,
): () => void {
  const pipeline = pipelinesOf(engine)?.get(modelId) as
    | (MlcPipeline & ForwardingPipeline)
    | undefined;
  if (typeof pipeline?.embedAndForward !== 'function') {
    throw new Error(missing('pipeline.embedAndForward'));
  }
  const real = pipeline.embedAndForward;
  pipeline.embedAndForward = async (input, length) => {
    heard(input.flatMap((part) => (Array.isArray(part) ? part : [])));
    if (!pretend) return real.call(pipeline, input, length);
    pipeline.filledKVCacheLength += length;
    const { tvm, device, config } = pipeline;
    const zeros = new Float32Array(config.vocab_size);
    return tvm.empty([1, 1, config.vocab_size], 'float32', device).copyFrom(zeros);
  };
  return () => {
    pipeline.embedAndForward = real;
  };
}

interface ForwardingPipeline {
  /** Computes a chunk of the conversation: token ids, and images where there are any. */
  embedAndForward(input: (number[] | object)[], length: number): Promise<TvmTensor>;
  filledKVCacheLength: number;
}
