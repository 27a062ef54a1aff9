import { geometricMean, type Random, seededRandom } from '../../scheduler';
import { OWN_NAME, OWN_ROWS, type RowProduct, readRowProduct, rowKernel } from './row-kernel';

/** A product of the library's that ours may stand in for. */
interface Found {
  product: RowProduct;
  pipeline: GPUComputePipeline;
  layout: GPUPipelineLayout;
  groupLayout: GPUBindGroupLayout;
}

/** What a trial found. */
export interface KernelTrial {
  /** Kernels of the library's that were looked at. */
  tried: number;
  /** Of these, those that ours stand in for now. */
  adopted: number;
  /** Those whose results ours did not give. */
  unequal: readonly string[];
  /** How many times as fast ours are at 8 rows, where they were adopted: the geometric mean. */
  speedup: number;
}

/** Rows that results are compared at, and the two that times are taken at. */
const COMPARED = [3, 5, OWN_ROWS];
const FULL = OWN_ROWS;
const HALF = OWN_ROWS / 2;
/** Columns of the trial's products, at most. */
const MOST_COLUMNS = 8192;
/** A measurement takes so long at least, ms, and as many dispatches at most. */
const MEASURED_MS = 3;
const MOST_DISPATCHES = 1024;
/** Ours is adopted where it takes less than this share of the library's time, and at 4 rows no more than that. */
const FASTER = 0.97;
const NOT_SLOWER = 1.05;

const USAGE = { uniform: 0x48, storage: 0x8c, read: 0x09 };

/**
 * Kernels of our own for products that the library's read all weights twice for. They stand in for the
 * library's only where a trial on the device found their results equal and their time shorter.
 */
export class OwnKernels {
  readonly #device: GPUDevice;
  readonly #substitute: (library: GPUComputePipeline, own: GPUComputePipeline) => void;
  readonly #found: Found[] = [];
  readonly #products = new WeakMap<GPUShaderModule, RowProduct>();
  readonly #groupLayouts = new WeakMap<GPUPipelineLayout, GPUBindGroupLayout>();

  /** Watches what is compiled on the device. */
  constructor(
    device: GPUDevice,
    substitute: (library: GPUComputePipeline, own: GPUComputePipeline) => void,
  ) {
    this.#device = device;
    this.#substitute = substitute;
    const { createShaderModule, createPipelineLayout } = device;
    const { createComputePipeline, createComputePipelineAsync } = device;
    device.createShaderModule = (descriptor) => {
      const module = createShaderModule.call(device, descriptor);
      const product = readRowProduct(descriptor.code);
      if (product !== undefined) this.#products.set(module, product);
      return module;
    };
    device.createPipelineLayout = (descriptor) => {
      const layout = createPipelineLayout.call(device, descriptor);
      const [groupLayout] = descriptor.bindGroupLayouts;
      if (groupLayout) this.#groupLayouts.set(layout, groupLayout);
      return layout;
    };
    device.createComputePipeline = (descriptor) =>
      this.#compiled(descriptor, createComputePipeline.call(device, descriptor));
    device.createComputePipelineAsync = async (descriptor) =>
      this.#compiled(descriptor, await createComputePipelineAsync.call(device, descriptor));
  }

  #compiled(
    { layout, compute }: GPUComputePipelineDescriptor,
    pipeline: GPUComputePipeline,
  ): GPUComputePipeline {
    const product = this.#products.get(compute.module);
    if (product === undefined || layout === 'auto') return pipeline;
    const groupLayout = this.#groupLayouts.get(layout);
    if (groupLayout === undefined) return pipeline;
    const found = { product, pipeline, layout, groupLayout };
    // Those that decode first, should there be no time for all.
    if (product.rowsField === 'batch_size') this.#found.unshift(found);
    else this.#found.push(found);
    return pipeline;
  }

  /** Adopts ours as they are, for measurements. */
  async adoptUntried(): Promise<void> {
    for (const { product, pipeline, layout } of this.#found) {
      const own = await compiled(this.#device, product, layout, 4);
      if (own !== null) this.#substitute(pipeline, own);
    }
  }

  /**
   * Tries ours against the library's on made-up rows, and adopts what is equal and faster. After
   * `budgetMs` the rest of the kernels stay the library's.
   */
  async tryOut(budgetMs = Number.POSITIVE_INFINITY): Promise<KernelTrial> {
    const unequal: string[] = [];
    const speedups: number[] = [];
    const endMs = performance.now() + budgetMs;
    let tried = 0;
    for (const found of this.#found) {
      if (performance.now() > endMs) break;
      tried++;
      const trial = new ProductTrial(this.#device, found);
      try {
        const best = await trial.best();
        if (best === 'unequal') unequal.push(found.product.name);
        if (typeof best === 'string') continue;
        this.#substitute(found.pipeline, best.pipeline);
        speedups.push(best.speedup);
      } finally {
        trial.dispose();
      }
    }
    return { tried, adopted: speedups.length, unequal, speedup: geometricMean(speedups) };
  }
}

interface Better {
  pipeline: GPUComputePipeline;
  /** The library's time at 8 rows over ours. */
  speedup: number;
}

/** One product on made-up rows. */
class ProductTrial {
  readonly #device: GPUDevice;
  readonly #found: Found;
  readonly #columns: number;
  readonly #buffers: GPUBuffer[] = [];
  readonly #inputs: { binding: number; buffer: GPUBuffer }[];
  readonly #result: GPUBuffer;
  readonly #read: GPUBuffer;
  readonly #uniform: GPUBuffer;

  constructor(device: GPUDevice, found: Found) {
    this.#device = device;
    this.#found = found;
    const { product } = found;
    const { depth, columns, bindings, types } = product;
    this.#columns = Math.min(columns, MOST_COLUMNS);
    const bytesOf = (type: string) => (type === 'f16' ? 2 : 4);
    const resultBytes = OWN_ROWS * columns * bytesOf(types.result);
    this.#result = this.#buffer(resultBytes, USAGE.storage);
    this.#read = this.#buffer(resultBytes, USAGE.read);
    this.#uniform = this.#buffer(4 * product.fields.length, USAGE.uniform);
    const held = (count: number, type: string, largest: number) =>
      this.#filled(type === 'f16' ? halves(count, largest) : floats(count, largest));
    this.#inputs = [
      { binding: bindings.weights, buffer: this.#filled(words((this.#columns * depth) / 8)) },
      {
        binding: bindings.scales,
        buffer: held((this.#columns * depth) / 32, types.number, 2 ** -6),
      },
      { binding: bindings.input, buffer: held(OWN_ROWS * depth, types.number, 1) },
    ];
    if (bindings.added !== undefined) {
      const count = product.added === 'bias' ? columns : OWN_ROWS * columns;
      this.#inputs.push({ binding: bindings.added, buffer: held(count, types.result, 1) });
    }
  }

  /** The fastest of ours that gives the library's results; why not, where there is none. */
  async best(): Promise<Better | 'unequal' | 'slower'> {
    const { product, pipeline: library, layout } = this.#found;
    const own = await Promise.all(
      ([4, 2] as const).map((columns) => compiled(this.#device, product, layout, columns)),
    );
    for (const rows of COMPARED) {
      const wanted = await this.#results(library, rows);
      for (const pipeline of own) {
        if (pipeline && !isEqual(wanted, await this.#results(pipeline, rows))) return 'unequal';
      }
    }
    const count = await this.#enough(library);
    const theirs = await this.#times(library, count);
    let best: Better | undefined;
    for (const pipeline of own) {
      if (pipeline === null) continue;
      const ours = await this.#times(pipeline, count);
      if (ours.full > FASTER * theirs.full || ours.half > NOT_SLOWER * theirs.half) continue;
      const speedup = theirs.full / ours.full;
      if (best === undefined || speedup > best.speedup) best = { pipeline, speedup };
    }
    return best ?? 'slower';
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }

  /** The rows of results, each without the columns that were not computed. */
  async #results(pipeline: GPUComputePipeline, rows: number): Promise<Float32Array | Uint16Array> {
    const { columns, types } = this.#found.product;
    const { size } = this.#result;
    this.#device.queue.writeBuffer(this.#result, 0, new Uint8Array(size));
    const encoder = this.#device.createCommandEncoder();
    this.#dispatch(encoder, pipeline, rows, 1);
    encoder.copyBufferToBuffer(this.#result, 0, this.#read, 0, size);
    this.#device.queue.submit([encoder.finish()]);
    await this.#read.mapAsync(1);
    const bytes = this.#read.getMappedRange().slice(0);
    this.#read.unmap();
    const all = types.result === 'f16' ? new Uint16Array(bytes) : new Float32Array(bytes);
    return all.subarray(0, rows * columns);
  }

  /** So many dispatches that they can be timed. */
  async #enough(pipeline: GPUComputePipeline): Promise<number> {
    let count = 8;
    while (count < MOST_DISPATCHES && (await this.#time(pipeline, FULL, count)) < MEASURED_MS) {
      count *= 2;
    }
    return count;
  }

  async #times(
    pipeline: GPUComputePipeline,
    count: number,
  ): Promise<{ full: number; half: number }> {
    const least = async (rows: number) => {
      const times: number[] = [];
      for (let i = 0; i < 3; i++) times.push(await this.#time(pipeline, rows, count));
      return Math.min(...times);
    };
    return { full: await least(FULL), half: await least(HALF) };
  }

  /** Of so many dispatches, ms. */
  async #time(pipeline: GPUComputePipeline, rows: number, count: number): Promise<number> {
    const encoder = this.#device.createCommandEncoder();
    this.#dispatch(encoder, pipeline, rows, count);
    const startMs = performance.now();
    this.#device.queue.submit([encoder.finish()]);
    await this.#device.queue.onSubmittedWorkDone();
    return performance.now() - startMs;
  }

  #dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    rows: number,
    count: number,
  ): void {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.#bound(rows));
    // The library's grid: two columns to a workgroup, and four rows.
    for (let i = 0; i < count; i++) {
      pass.dispatchWorkgroups(this.#columns / 2, Math.ceil(rows / 4));
    }
    pass.end();
  }

  #bound(rows: number): GPUBindGroup {
    const { product, groupLayout } = this.#found;
    const { fields, rowsField, bindings, uniformBinding } = product;
    const values = fields.map(({ name }) =>
      name === rowsField ? rows : name === 'packGridDimX' ? this.#columns / 2 : 0,
    );
    this.#device.queue.writeBuffer(this.#uniform, 0, Int32Array.from(values));
    const entries = [
      ...this.#inputs,
      { binding: bindings.output, buffer: this.#result },
      { binding: uniformBinding, buffer: this.#uniform },
    ];
    return this.#device.createBindGroup({
      layout: groupLayout,
      entries: entries.map(({ binding, buffer }) => ({ binding, resource: { buffer } })),
    });
  }

  #filled(data: Uint32Array | Uint16Array | Float32Array): GPUBuffer {
    const buffer = this.#buffer(data.byteLength, USAGE.storage);
    this.#device.queue.writeBuffer(buffer, 0, data.buffer as ArrayBuffer);
    return buffer;
  }

  #buffer(size: number, usage: number): GPUBuffer {
    const buffer = this.#device.createBuffer({ size: Math.ceil(size / 4) * 4, usage });
    this.#buffers.push(buffer);
    return buffer;
  }
}

/** Ours. Null where the device does not compile it. */
async function compiled(
  device: GPUDevice,
  product: RowProduct,
  layout: GPUPipelineLayout,
  columns: 2 | 4,
): Promise<GPUComputePipeline | null> {
  const module = device.createShaderModule({ code: rowKernel(product, columns) });
  const compute = { module, entryPoint: OWN_NAME };
  return device.createComputePipelineAsync({ layout, compute }).catch(() => null);
}

/** The same numbers; that nothing is negative makes no difference, that it is none does. */
function isEqual(a: Float32Array | Uint16Array, b: Float32Array | Uint16Array): boolean {
  if (a instanceof Float32Array) return a.every((value, i) => value === b[i]);
  return a.every((bits, i) => {
    const isNumber = (bits & 0x7c00) !== 0x7c00;
    return isNumber && (bits === b[i] || ((bits | b[i]) & 0x7fff) === 0);
  });
}

/** Numbers that are drawn; a longer list repeats them, since a load is not to wait for millions of draws. */
const DRAWN = 2 ** 16;

/** Made-up numbers, the same every time. */
function madeUp<T extends Uint32Array | Uint16Array | Float32Array>(
  list: T,
  draw: (random: Random) => number,
): T {
  const random = seededRandom(1);
  const drawn = Math.min(list.length, DRAWN);
  for (let i = 0; i < drawn; i++) list[i] = draw(random);
  for (let at = drawn; at < list.length; at += DRAWN) list.copyWithin(at, 0, DRAWN);
  return list;
}

function words(count: number): Uint32Array {
  return madeUp(new Uint32Array(count), (random) => random() * 2 ** 32);
}

function floats(count: number, largest: number): Float32Array {
  return madeUp(new Float32Array(count), (random) => (2 * random() - 1) * largest);
}

/** As 16-bit floats: a sign, one of the four exponents below `largest`, a power of two, and any fraction. */
function halves(count: number, largest: number): Uint16Array {
  const top = 14 + Math.log2(largest);
  return madeUp(new Uint16Array(count), (random) => {
    const bits = Math.floor(random() * 2 ** 13);
    return ((bits & 1) << 15) | ((top - ((bits >> 1) & 3)) << 10) | (bits >> 3);
  });
}
