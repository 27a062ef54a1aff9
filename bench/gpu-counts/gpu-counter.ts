import { writtenBytes } from '../../src/engine/webllm/written-bytes';
import { type KernelReads, kernelReads } from './kernel-reads';

/** What was asked of a GPU between two looks. */
export interface GpuCounts {
  dispatches: number;
  /** Command buffers handed to the queue. */
  commandBuffers: number;
  /** Calls of `queue.submit`. */
  submissions: number;
  buffersMade: number;
  bindGroupsMade: number;
  /** Bytes of results read back. */
  bytesMapped: number;
  /** Times that somebody waited for the GPU: `mapAsync`, `onSubmittedWorkDone`. */
  waits: number;
  /** Bytes of weights that workgroups read from memory, each workgroup's own reads counted once. */
  weightBytes: number;
  /** Bytes of pages of keys and values that attention reads, over all layers. */
  kvBytes: number;
  /** Time on the CPU from the end of one wait to the beginning of the next, ms. */
  busyMs: number;
}

const NOTHING: GpuCounts = {
  dispatches: 0,
  commandBuffers: 0,
  submissions: 0,
  buffersMade: 0,
  bindGroupsMade: 0,
  bytesMapped: 0,
  waits: 0,
  weightBytes: 0,
  kvBytes: 0,
  busyMs: 0,
};

/** A buffer of fewer bytes holds no weights. */
const MIN_WEIGHTS = 64;
/** Attention's kernels, which read pages; others that touch them copy. */
const ATTENTION = /^batch_(decode|prefill|tree).*paged_kv|^tir_\w*paged_kv/;

type Bound = ReadonlyMap<number, GPUBufferBinding>;

interface Pass {
  pipeline?: GPUComputePipeline;
  group?: GPUBindGroup;
}

/**
 * Counts what is asked of every WebGPU device of this realm, by standing before the API's methods.
 * What a dispatch reads is told from its kernel's text, its grid and the buffers bound to it. Nothing is
 * computed: every dispatch is sent with no workgroups, so that a software device counts as fast as a GPU;
 * all results are zeros.
 */
export class GpuCounter {
  readonly #counts: GpuCounts = { ...NOTHING };
  readonly #kernels = new WeakMap<object, KernelReads | undefined>();
  readonly #bound = new WeakMap<GPUBindGroup, Map<number, GPUBufferBinding>>();
  readonly #passes = new WeakMap<GPUComputePassEncoder, Pass>();
  /** Bytes that the host wrote to a buffer. */
  readonly #written = new WeakMap<GPUBuffer, number>();
  readonly #isWeights = new WeakMap<GPUBuffer, boolean>();
  /** Uniforms as the host wrote them last. */
  readonly #contents = new WeakMap<GPUBuffer, Uint8Array>();
  #weightsAreIn = true;
  #busySinceMs: number | undefined;
  /** Bytes of a page of one layer's keys and values. */
  pageBytes = 0;

  constructor() {
    this.#watchDevice();
    this.#watchPasses();
    this.#watchWaits();
  }

  /** Loads a model: what the host writes meanwhile are weights, and nothing that it writes later. */
  async loading<T>(load: () => Promise<T>): Promise<T> {
    this.#weightsAreIn = false;
    const loaded = await load();
    this.#weightsAreIn = true;
    return loaded;
  }

  /** What `work` asks for. */
  async during(work: () => Promise<unknown>): Promise<GpuCounts> {
    const before = { ...this.#counts };
    this.#busySinceMs = performance.now();
    await work();
    this.#rest();
    const counts = { ...NOTHING };
    for (const key of Object.keys(counts) as (keyof GpuCounts)[]) {
      counts[key] = this.#counts[key] - before[key];
    }
    return counts;
  }

  #rest(): void {
    if (this.#busySinceMs === undefined) return;
    this.#counts.busyMs += performance.now() - this.#busySinceMs;
    this.#busySinceMs = undefined;
  }

  #watchDevice(): void {
    const counts = this.#counts;
    const kernels = this.#kernels;
    const written = this.#written;
    after(GPUDevice.prototype, 'createBuffer', () => void counts.buffersMade++);
    after(GPUDevice.prototype, 'createBindGroup', (group, [{ entries }]) => {
      counts.bindGroupsMade++;
      const bound = new Map<number, GPUBufferBinding>();
      for (const { binding, resource } of entries) {
        if (typeof resource === 'object' && 'buffer' in resource) bound.set(binding, resource);
      }
      this.#bound.set(group, bound);
    });
    after(GPUDevice.prototype, 'createShaderModule', (module, [{ code }]) => {
      kernels.set(module, kernelReads(code));
    });
    after(GPUDevice.prototype, 'createComputePipeline', (pipeline, [{ compute }]) => {
      kernels.set(pipeline, kernels.get(compute.module));
    });
    after(GPUDevice.prototype, 'createComputePipelineAsync', (made, [{ compute }]) => {
      void made.then((pipeline) => kernels.set(pipeline, kernels.get(compute.module)));
    });
    after(GPUQueue.prototype, 'submit', (_, [commands]) => {
      counts.submissions++;
      counts.commandBuffers += [...commands].length;
    });
    after(GPUQueue.prototype, 'writeBuffer', (_, [buffer, offset, data, dataOffset, size]) => {
      const bytes = writtenBytes(data, dataOffset, size);
      if (!this.#weightsAreIn) {
        written.set(buffer, (written.get(buffer) ?? 0) + bytes.byteLength);
      }
      if ((buffer.usage & GPUBufferUsage.UNIFORM) !== 0 && offset === 0) {
        this.#contents.set(buffer, bytes.slice());
      }
    });
  }

  #watchPasses(): void {
    const passes = this.#passes;
    after(GPUCommandEncoder.prototype, 'beginComputePass', (pass) => {
      passes.set(pass, {});
    });
    const { prototype } = GPUComputePassEncoder;
    after(prototype, 'setPipeline', (_, [pipeline], encoder) => {
      const pass = passes.get(encoder);
      if (pass !== undefined) pass.pipeline = pipeline;
    });
    after(prototype, 'setBindGroup', (_, [index, group], encoder) => {
      const pass = passes.get(encoder);
      if (pass !== undefined && index === 0) pass.group = group ?? undefined;
    });
    const count = (encoder: GPUComputePassEncoder, grid: Grid) =>
      this.#dispatched(passes.get(encoder), grid);
    const dispatch = prototype.dispatchWorkgroups;
    prototype.dispatchWorkgroups = function (x, y = 1, z = 1) {
      count(this, { x, y, z });
      return dispatch.call(this, 0, y, z);
    };
  }

  #watchWaits(): void {
    const wait = (bytes: number) => {
      this.#counts.waits++;
      this.#counts.bytesMapped += bytes;
      this.#rest();
    };
    const waited = () => {
      this.#busySinceMs ??= performance.now();
    };
    after(GPUBuffer.prototype, 'mapAsync', (done, [, , size], buffer) => {
      wait(size ?? buffer.size);
      void done.then(waited, waited);
    });
    after(GPUQueue.prototype, 'onSubmittedWorkDone', (done) => {
      wait(0);
      void done.then(waited, waited);
    });
  }

  #dispatched(pass: Pass | undefined, grid: Grid): void {
    this.#counts.dispatches++;
    const kernel = pass?.pipeline && this.#kernels.get(pass.pipeline);
    const bound = pass?.group && this.#bound.get(pass.group);
    if (kernel === undefined || bound === undefined) return;
    const { rows } = kernel;
    const left = rows && Math.ceil(this.#uniform(kernel, bound, rows.field) / rows.each);
    const busy = Math.min(grid.y, left ?? grid.y);
    for (const { binding, splits, isGathered } of kernel.buffers) {
      const resource = bound.get(binding);
      if (resource === undefined || !this.#holdsWeights(resource.buffer)) continue;
      const size = resource.size ?? resource.buffer.size;
      const times = (splits.x ? 1 : grid.x * grid.z) * (splits.y ? 1 : busy);
      const invocations = grid.x * grid.y * grid.z * kernel.workgroupSize;
      this.#counts.weightBytes += isGathered ? Math.min(size, 4 * invocations) : times * size;
    }
    if (ATTENTION.test(kernel.name)) this.#counts.kvBytes += this.#pagesRead(kernel, bound);
  }

  /** Of an attention kernel: its sequences' pages are each read once, whatever the number of its queries. */
  #pagesRead(kernel: KernelReads, bound: Bound): number {
    return this.#uniform(kernel, bound, 'nnz_pages') * this.pageBytes;
  }

  /** A field of the kernel's uniform, as the host wrote it last; 0 where there is none. */
  #uniform(kernel: KernelReads, bound: Bound, field: string): number {
    const uniform =
      kernel.uniformBinding === undefined ? undefined : bound.get(kernel.uniformBinding);
    const contents = uniform && this.#contents.get(uniform.buffer);
    const at = 4 * kernel.uniforms.indexOf(field);
    if (contents === undefined || at < 0 || contents.byteLength < at + 4) return 0;
    return new DataView(contents.buffer, contents.byteOffset).getInt32(at, true);
  }

  #holdsWeights(buffer: GPUBuffer): boolean {
    const known = this.#isWeights.get(buffer);
    if (known !== undefined) return known;
    const is = buffer.size >= MIN_WEIGHTS && (this.#written.get(buffer) ?? 0) >= buffer.size / 2;
    if (this.#weightsAreIn) this.#isWeights.set(buffer, is);
    return is;
  }
}

interface Grid {
  x: number;
  y: number;
  z: number;
}

type Method<T, K extends keyof T> = T[K] extends (...args: infer Args) => infer Result
  ? { args: Args; result: Result }
  : never;

/** Has `look` see what a method returned, what it was given, and of what it was called. */
function after<T extends object, K extends keyof T & string>(
  prototype: T,
  name: K,
  look: (result: Method<T, K>['result'], args: Method<T, K>['args'], self: T) => void,
): void {
  const method = prototype[name] as (...args: unknown[]) => Method<T, K>['result'];
  const watched = function (this: T, ...args: unknown[]) {
    const result = method.apply(this, args);
    look(result, args as Method<T, K>['args'], this);
    return result;
  };
  Object.assign(prototype, { [name]: watched });
}
