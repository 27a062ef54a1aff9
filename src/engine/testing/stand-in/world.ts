import type { LibraryMetadata } from '../../webllm/internals';
import type { SeenImage } from './images';
import { logitsOf } from './logits';
import { METADATA, VOCABULARY } from './model';
import type { StandInOptions } from './options';

interface Disposable {
  dispose(): void;
}

/** What everything here has in common: one runtime and one GPU, and what is to go wrong with them. */
export class World {
  /** TVM objects alive. */
  objects = 0;
  /** Scopes open. */
  scopes: Disposable[][] = [];
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
