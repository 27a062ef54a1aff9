import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

/** Versions of WebLLM that the harness can run; libraries of different families need different ones. */
export type WebllmVersion = '0.2.79' | '0.2.86';

/** One weight tensor a model library wants. A dimension given by name is free for the weights to choose. */
export interface ParamSpec {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly dtype: string;
}

/** What a model library says of itself (its `_metadata` function returns this as JSON). */
export interface LibraryMetadata {
  readonly model_type: string;
  readonly quantization: string;
  /** Tokens. */
  readonly context_window_size: number;
  readonly sliding_window_size: number;
  readonly attention_sink_size: number;
  /** Tokens that one forward may prefill. */
  readonly prefill_chunk_size: number;
  readonly kv_state_kind?: string;
  /** Sequences that one forward may hold. */
  readonly max_batch_size?: number;
  readonly kv_cache?: {
    readonly num_hidden_layers: number;
    readonly num_attention_heads: number;
    readonly num_key_value_heads: number;
    readonly head_dim: number;
  };
  readonly params: readonly ParamSpec[];
}

/** A prebuilt model library (a .wasm file) and the facts read out of it. */
export interface ModelLibrary {
  readonly file: string;
  /** The file's name without context window, chunk size and ending. */
  readonly modelId: string;
  readonly bytes: Buffer;
  readonly metadata: LibraryMetadata;
  /** Its kernels use 16-bit floats, so the device must have the feature `shader-f16`. */
  readonly needsF16: boolean;
  /** The version of WebLLM whose runtime interface this library was built for. */
  readonly webllm: WebllmVersion;
}

/** Reads a model library; throws an error that says so when the file is not one. */
export async function readLibrary(file: string): Promise<ModelLibrary> {
  const bytes = await readFile(file);
  return {
    file,
    modelId: basename(file, '.wasm').replace(/(-(ctx|sw)\d+k?)?(_cs\d+k?)?(-webgpu)?$/, ''),
    bytes,
    metadata: findMetadata(bytes, file),
    needsF16: bytes.includes('enable f16;'),
    webllm: await versionFor(bytes, file),
  };
}

/** The metadata is a constant string in the library's data section, so no runtime is needed to read it. */
function findMetadata(bytes: Buffer, file: string): LibraryMetadata {
  const start = bytes.indexOf('{"model_type"');
  if (start < 0) throw new Error(`${file} is not a model library: it has no metadata in it.`);
  let depth = 0;
  let inString = false;
  for (let at = start; at < bytes.length; at++) {
    const char = String.fromCharCode(bytes[at] ?? 0);
    if (char === '"') inString = !inString;
    else if (inString) continue;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) {
      return JSON.parse(bytes.toString('utf8', start, at + 1)) as LibraryMetadata;
    }
  }
  throw new Error(`The metadata in ${file} does not end.`);
}

/**
 * Libraries up to family v0_2_48 export TVM's old C interface, newer ones the one called TVM FFI. The first
 * of family v0_2_80 (August and September 2025) have an early state of that, which no release of WebLLM knows.
 */
async function versionFor(bytes: Buffer, file: string): Promise<WebllmVersion> {
  const module = await WebAssembly.compile(new Uint8Array(bytes));
  const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  if (exported.has('TVMFFIObjectFree')) {
    throw new Error(`${file} was built in the summer of 2025 and runs with no release of WebLLM.`);
  }
  return exported.has('TVMFuncCall') ? '0.2.79' : '0.2.86';
}
