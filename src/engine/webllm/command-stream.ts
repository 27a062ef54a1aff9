import { type WriteRest, writtenBytes } from './written-bytes';

/** Dispatches that are gathered before they are sent: the GPU is to begin before all of a step is there. */
const BURST = 32;
/** Bind groups, and uniforms, that are kept: some of every step's shapes of late. */
const MAX_KEPT = 4096;
/** GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, which are not defined outside browsers. */
const UNIFORM = 0x40 | 0x08;
/** A uniform of more bytes is left alone. */
const MAX_UNIFORM = 256;

/** What a device was asked for, and what was asked of it. */
export interface StreamCounts {
  dispatches: number;
  submissions: number;
  bindGroups: number;
  /** Of these, made; the others had been made before. */
  bindGroupsMade: number;
  uniformsMade: number;
}

/**
 * Makes a device cheap to use the way WebLLM's runtime uses it. The runtime sets every kernel off with
 * a bind group of its own and a uniform (in older versions a new buffer, a pass and a submission, too),
 * so that making commands takes several times as long as the GPU takes to run them. Beneath it here
 * - uniforms are kept by what they hold, and bind groups by what they bind, and taken again;
 * - dispatches go into one pass, and in bursts to the queue.
 *
 * The order of what the GPU does and of what the host writes stays as it was: whatever looks at a
 * buffer from outside (a write, a map, the end of a buffer, a wait) first sends what was gathered.
 */
export function streamCommands(device: GPUDevice): StreamedDevice {
  const stream = new CommandStream(device);
  stream.takeOver();
  return stream;
}

export interface StreamedDevice {
  readonly counts: Readonly<StreamCounts>;
  /** From now on the second runs wherever the first is asked for; both take the same bind groups. */
  substitute(pipeline: GPUComputePipeline, by: GPUComputePipeline): void;
}

/** A small uniform that only the host writes, before it is bound. */
class Uniform {
  readonly bytes: Uint8Array;
  #key: string | undefined;

  constructor(readonly size: number) {
    this.bytes = new Uint8Array(size);
  }

  write(offset: number, data: Uint8Array): void {
    this.bytes.set(data, offset);
    this.#key = undefined;
  }

  /** What it holds. */
  get key(): string {
    this.#key ??= `=${new Int32Array(this.bytes.buffer, 0, this.size >> 2).join()}`;
    return this.#key;
  }

  destroy(): void {
    // There is nothing of it on the device.
  }
}

/** What stands for a command buffer whose commands are in the stream already. */
class Streamed {}

class CommandStream implements StreamedDevice {
  readonly counts: StreamCounts = {
    dispatches: 0,
    submissions: 0,
    bindGroups: 0,
    bindGroupsMade: 0,
    uniformsMade: 0,
  };
  readonly #device: GPUDevice;
  readonly #queue: GPUQueue;
  readonly #native: {
    createBuffer: GPUDevice['createBuffer'];
    createBindGroup: GPUDevice['createBindGroup'];
    createCommandEncoder: GPUDevice['createCommandEncoder'];
    submit: GPUQueue['submit'];
    writeBuffer: GPUQueue['writeBuffer'];
    onSubmittedWorkDone: GPUQueue['onSubmittedWorkDone'];
  };
  /** By what they bind. */
  readonly #groups = new Map<string, GPUBindGroup>();
  /** Their keys, by a buffer that they bind. */
  readonly #groupsOf = new Map<GPUBuffer, Set<string>>();
  /** By what they hold. */
  readonly #uniforms = new Map<string, GPUBuffer>();
  readonly #ids = new WeakMap<object, number>();
  readonly #substitutes = new Map<GPUComputePipeline, GPUComputePipeline>();
  #count = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #pipeline: GPUComputePipeline | undefined;
  #gathered = 0;
  /** The runtime has an encoder that it has not finished. */
  #isEncoding = false;
  #willFlush = false;

  constructor(device: GPUDevice) {
    const { queue } = device;
    this.#device = device;
    this.#queue = queue;
    this.#native = {
      createBuffer: device.createBuffer.bind(device),
      createBindGroup: device.createBindGroup.bind(device),
      createCommandEncoder: device.createCommandEncoder.bind(device),
      submit: queue.submit.bind(queue),
      writeBuffer: queue.writeBuffer.bind(queue),
      onSubmittedWorkDone: queue.onSubmittedWorkDone.bind(queue),
    };
  }

  takeOver(): void {
    const device = this.#device;
    const queue = this.#queue;
    device.createBuffer = (descriptor) => this.#createBuffer(descriptor);
    device.createBindGroup = (descriptor) => this.#bindGroup(descriptor);
    device.createCommandEncoder = (descriptor) => this.#createEncoder(descriptor);
    queue.submit = (commands) => this.#submit(commands);
    queue.writeBuffer = (buffer: GPUBuffer, offset: number, ...rest: WriteRest) => {
      const uniform: unknown = buffer;
      if (uniform instanceof Uniform) {
        uniform.write(offset, writtenBytes(...rest));
        return;
      }
      this.#flush();
      this.#native.writeBuffer(buffer, offset, ...rest);
    };
    queue.onSubmittedWorkDone = () => {
      this.#flush();
      return this.#native.onSubmittedWorkDone();
    };
  }

  substitute(pipeline: GPUComputePipeline, by: GPUComputePipeline): void {
    this.#substitutes.set(pipeline, by);
  }

  #createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    const { size, usage, mappedAtCreation } = descriptor;
    if (usage === UNIFORM && size <= MAX_UNIFORM && size % 4 === 0 && !mappedAtCreation) {
      return new Uniform(size) as unknown as GPUBuffer;
    }
    const buffer = this.#native.createBuffer(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    const mapAsync = buffer.mapAsync.bind(buffer);
    buffer.destroy = () => {
      this.#flush();
      this.#forget(buffer);
      return destroy();
    };
    buffer.mapAsync = (...range) => {
      this.#flush();
      return mapAsync(...range);
    };
    return buffer;
  }

  #bindGroup(descriptor: GPUBindGroupDescriptor): GPUBindGroup {
    this.counts.bindGroups++;
    const buffers: GPUBuffer[] = [];
    let key = `${this.#idOf(descriptor.layout)}`;
    for (const { binding, resource } of descriptor.entries) {
      if (!isBufferBinding(resource)) return this.#native.createBindGroup(descriptor);
      const { buffer, offset = 0, size = '' } = resource;
      const held: unknown = buffer;
      if (held instanceof Uniform) {
        key += ` ${binding}:${held.key}.${offset}.${size}`;
      } else {
        key += ` ${binding}:${this.#idOf(buffer)}.${offset}.${size}`;
        buffers.push(buffer);
      }
    }
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= MAX_KEPT || this.#uniforms.size >= MAX_KEPT) this.#forgetAll();
    const entries = [...descriptor.entries].map(({ binding, resource }) => {
      const held: unknown = isBufferBinding(resource) ? resource.buffer : undefined;
      if (!(held instanceof Uniform) || !isBufferBinding(resource)) return { binding, resource };
      return { binding, resource: { ...resource, buffer: this.#uniform(held) } };
    });
    const group = this.#native.createBindGroup({ ...descriptor, entries });
    this.counts.bindGroupsMade++;
    this.#groups.set(key, group);
    for (const buffer of buffers) {
      const keys = this.#groupsOf.get(buffer) ?? new Set();
      this.#groupsOf.set(buffer, keys.add(key));
    }
    return group;
  }

  /** The device's uniform that holds the same; nobody writes it again. */
  #uniform(uniform: Uniform): GPUBuffer {
    const known = this.#uniforms.get(uniform.key);
    if (known !== undefined) return known;
    const { size, bytes } = uniform;
    const buffer = this.#native.createBuffer({ size, usage: UNIFORM });
    this.#native.writeBuffer(buffer, 0, bytes.slice());
    this.counts.uniformsMade++;
    this.#uniforms.set(uniform.key, buffer);
    return buffer;
  }

  #createEncoder(descriptor?: GPUObjectDescriptorBase): GPUCommandEncoder {
    // Two encoders at once may be sent in any order: theirs is kept by leaving this one alone.
    if (this.#isEncoding) return this.#native.createCommandEncoder(descriptor);
    this.#isEncoding = true;
    const encoder: Pick<GPUCommandEncoder, 'beginComputePass' | 'copyBufferToBuffer' | 'finish'> = {
      beginComputePass: () => this.#beginPass(),
      copyBufferToBuffer: ((...copy: Parameters<GPUCommandEncoder['copyBufferToBuffer']>) => {
        this.#commands().copyBufferToBuffer(...copy);
      }) as GPUCommandEncoder['copyBufferToBuffer'],
      finish: () => {
        this.#isEncoding = false;
        return new Streamed() as unknown as GPUCommandBuffer;
      },
    };
    return encoder as GPUCommandEncoder;
  }

  #beginPass(): GPUComputePassEncoder {
    let pipeline: GPUComputePipeline | undefined;
    let group: GPUBindGroup | null = null;
    const pass: Pick<
      GPUComputePassEncoder,
      'setPipeline' | 'setBindGroup' | 'dispatchWorkgroups' | 'end'
    > = {
      setPipeline: (given) => {
        pipeline = this.#substitutes.get(given) ?? given;
      },
      setBindGroup: (_index: number, given: GPUBindGroup | null) => {
        group = given;
      },
      dispatchWorkgroups: (x, y, z) => {
        this.counts.dispatches++;
        const { pass } = this.#opened();
        if (pipeline !== undefined && pipeline !== this.#pipeline) pass.setPipeline(pipeline);
        this.#pipeline = pipeline;
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(x, y, z);
        if (++this.#gathered >= BURST) this.#flush();
      },
      end: () => {},
    };
    return pass as GPUComputePassEncoder;
  }

  #opened(): { pass: GPUComputePassEncoder } {
    this.#encoder ??= this.#native.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    return { pass: this.#pass };
  }

  /** The encoder, between two passes. */
  #commands(): GPUCommandEncoder {
    this.#encoder ??= this.#native.createCommandEncoder();
    this.#endPass();
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
    this.#pipeline = undefined;
  }

  #submit(commands: Iterable<GPUCommandBuffer>): undefined {
    for (const command of commands) {
      const given: unknown = command;
      if (given instanceof Streamed) continue;
      this.#flush();
      this.counts.submissions++;
      this.#native.submit([command]);
    }
    // Nothing stays behind, even if nobody asks after it.
    if (this.#encoder === undefined || this.#willFlush) return;
    this.#willFlush = true;
    queueMicrotask(() => {
      this.#willFlush = false;
      this.#flush();
    });
  }

  /** Sends what was gathered. */
  #flush(): void {
    if (this.#encoder === undefined) return;
    this.#endPass();
    const commands = this.#encoder.finish();
    this.#encoder = undefined;
    this.#gathered = 0;
    this.counts.submissions++;
    this.#native.submit([commands]);
  }

  #forget(buffer: GPUBuffer): void {
    for (const key of this.#groupsOf.get(buffer) ?? []) this.#groups.delete(key);
    this.#groupsOf.delete(buffer);
  }

  #forgetAll(): void {
    this.#flush();
    this.#groups.clear();
    this.#groupsOf.clear();
    for (const uniform of this.#uniforms.values()) uniform.destroy();
    this.#uniforms.clear();
  }

  #idOf(object: object): number {
    const known = this.#ids.get(object);
    if (known !== undefined) return known;
    this.#ids.set(object, ++this.#count);
    return this.#count;
  }
}

function isBufferBinding(resource: GPUBindingResource): resource is GPUBufferBinding {
  return 'buffer' in resource;
}
