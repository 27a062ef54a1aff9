import { fail } from './fail';
import { Handle } from './handle';
import type { World } from './world';

export class Device {
  readonly kind: 'cpu' | 'gpu';
  readonly #world: World;

  constructor(world: World, kind: 'cpu' | 'gpu') {
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

export class Tensor extends Handle {
  readonly shape: number[];
  readonly dtype: string;
  readonly device: Device;
  readonly data: Float32Array | Int32Array;
  /** It is part of another, from somewhere within it on: kernels would read from its beginning. */
  isPart = false;

  constructor(world: World, shape: number[], dtype: string, device: Device, data?: Tensor['data']) {
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

export class List extends Handle {
  readonly #items: Tensor[];

  constructor(world: World, items: Tensor[]) {
    super(world);
    this.#items = items;
  }

  get(index: number): Tensor {
    this.use();
    return this.#items[index];
  }
}
