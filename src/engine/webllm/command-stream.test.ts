import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamCommands } from './command-stream';

const UNIFORM = 0x48;
const STORAGE = 0x8c;

/** A device that does its commands when they are submitted: a dispatch mixes what is bound into the first buffer. */
class FakeDevice {
  readonly calls: string[] = [];
  readonly device: GPUDevice;
  #count = 0;
  #groups = 0;

  constructor() {
    const queue = {
      submit: (buffers: (() => void)[][]) => {
        this.calls.push('submit');
        for (const commands of buffers) for (const command of commands) command();
      },
      writeBuffer: (buffer: FakeBuffer, offset: number, data: Uint8Array) => {
        this.calls.push('write');
        if (buffer.isDestroyed) throw new Error('A destroyed buffer was written.');
        buffer.bytes.set(new Uint8Array(ArrayBuffer.isView(data) ? data.buffer : data), offset);
      },
      onSubmittedWorkDone: async () => void this.calls.push('wait'),
    };
    const device = {
      queue,
      createBuffer: ({ size }: { size: number }) => {
        this.calls.push('buffer');
        return new FakeBuffer(this.#count++, size);
      },
      createBindGroup: ({ entries }: { entries: { resource: { buffer: FakeBuffer } }[] }) => {
        this.#groups++;
        this.calls.push('group');
        return entries.map(({ resource }) => resource.buffer);
      },
      createCommandEncoder: () => this.#encoder(),
    };
    this.device = device as unknown as GPUDevice;
  }

  get groups(): number {
    return this.#groups;
  }

  #encoder() {
    const commands: (() => void)[] = [];
    let isInPass = false;
    return {
      beginComputePass: () => {
        this.calls.push('pass');
        isInPass = true;
        let salt = 0;
        let bound: FakeBuffer[] = [];
        return {
          setPipeline: (pipeline: { salt: number }) => {
            salt = pipeline.salt;
          },
          setBindGroup: (_: number, group: FakeBuffer[]) => {
            bound = group;
          },
          dispatchWorkgroups: (x: number) => {
            const [run, buffers] = [salt, bound];
            commands.push(() => mix(buffers, run + x));
          },
          end: () => {
            isInPass = false;
          },
        };
      },
      copyBufferToBuffer: (from: FakeBuffer, _: number, to: FakeBuffer) => {
        if (isInPass) throw new Error('A copy came within a pass.');
        commands.push(() => to.bytes.set(from.bytes));
      },
      finish: () => commands,
    };
  }
}

class FakeBuffer {
  readonly bytes: Uint8Array;
  isDestroyed = false;

  constructor(
    readonly id: number,
    readonly size: number,
  ) {
    this.bytes = new Uint8Array(size);
  }

  destroy() {
    this.isDestroyed = true;
  }

  async mapAsync() {}
}

function mix(buffers: FakeBuffer[], salt: number): void {
  if (buffers.some(({ isDestroyed }) => isDestroyed))
    throw new Error('A destroyed buffer is bound.');
  const [target] = buffers;
  for (let i = 0; i < target.bytes.length; i++) {
    let sum = salt + i;
    for (const { bytes } of buffers) sum = (sum * 31 + bytes[i % bytes.length]) >>> 0;
    target.bytes[i] = sum;
  }
}

/** The way WebLLM 0.2.86 uses a device: one encoder until something must be sent; a pool of uniforms. */
class Runtime {
  readonly buffers: GPUBuffer[] = [];
  readonly #device: GPUDevice;
  readonly #pool: GPUBuffer[] = [];
  readonly #oneByOne: boolean;
  #encoder: GPUCommandEncoder | undefined;
  #dispatched = 0;

  /** As 0.2.79 does, `oneByOne` sends each dispatch as it comes. */
  constructor(device: GPUDevice, oneByOne: boolean) {
    this.#device = device;
    this.#oneByOne = oneByOne;
    for (let i = 0; i < 4; i++) this.buffers.push(this.#buffer());
  }

  #buffer(): GPUBuffer {
    return this.#device.createBuffer({ size: 8, usage: STORAGE });
  }

  dispatch(bound: number[], kernel: number, argument: number): void {
    this.#encoder ??= this.#device.createCommandEncoder();
    const pass = this.#encoder.beginComputePass();
    pass.setPipeline({ salt: kernel } as unknown as GPUComputePipeline);
    const at = this.#dispatched++;
    this.#pool[at] ??= this.#device.createBuffer({ size: 8, usage: UNIFORM });
    this.#device.queue.writeBuffer(this.#pool[at], 0, Int32Array.of(argument, 7));
    const buffers = [...bound.map((i) => this.buffers[i]), this.#pool[at]];
    const group = this.#device.createBindGroup({
      layout: LAYOUT,
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1 + kernel);
    pass.end();
    if (this.#oneByOne) this.flush();
  }

  copy(from: number, to: number): void {
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#encoder.copyBufferToBuffer(this.buffers[from], 0, this.buffers[to], 0, 8);
    if (this.#oneByOne) this.flush();
  }

  write(at: number, value: number): void {
    this.flush();
    this.#device.queue.writeBuffer(this.buffers[at], 0, new Uint8Array(8).fill(value));
  }

  replace(at: number): void {
    this.flush();
    this.buffers[at].destroy();
    this.buffers[at] = this.#buffer();
  }

  flush(): void {
    if (this.#encoder) this.#device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    this.#dispatched = 0;
  }

  async sync(): Promise<void> {
    this.flush();
    await this.#device.queue.onSubmittedWorkDone();
  }
}

const LAYOUT = {} as GPUBindGroupLayout;

type Operation =
  | { kind: 'dispatch'; bound: number[]; kernel: number; argument: number }
  | { kind: 'copy'; from: number; to: number }
  | { kind: 'write'; at: number; value: number }
  | { kind: 'replace'; at: number }
  | { kind: 'sync' };

const buffer = fc.integer({ min: 0, max: 3 });
const dispatch = fc.record({
  kind: fc.constant('dispatch' as const),
  bound: fc.array(buffer, { minLength: 1, maxLength: 3 }),
  kernel: fc.integer({ min: 0, max: 2 }),
  argument: fc.integer({ min: 0, max: 3 }),
});
const operation: fc.Arbitrary<Operation> = fc.oneof(
  ...Array.from({ length: 6 }, () => dispatch),
  fc
    .tuple(buffer, buffer)
    .filter(([from, to]) => from !== to)
    .map(([from, to]) => ({ kind: 'copy' as const, from, to })),
  fc.record({ kind: fc.constant('write' as const), at: buffer, value: fc.nat(255) }),
  fc.record({ kind: fc.constant('replace' as const), at: buffer }),
  fc.constant({ kind: 'sync' as const }),
);

async function memoryAfter(
  operations: readonly Operation[],
  oneByOne: boolean,
  isStreamed: boolean,
): Promise<number[][]> {
  const fake = new FakeDevice();
  if (isStreamed) streamCommands(fake.device);
  const runtime = new Runtime(fake.device, oneByOne);
  for (const one of operations) {
    if (one.kind === 'dispatch') runtime.dispatch(one.bound, one.kernel, one.argument);
    else if (one.kind === 'copy') runtime.copy(one.from, one.to);
    else if (one.kind === 'write') runtime.write(one.at, one.value);
    else if (one.kind === 'replace') runtime.replace(one.at);
    else await runtime.sync();
  }
  await runtime.sync();
  return runtime.buffers.map((held) => [...(held as unknown as FakeBuffer).bytes]);
}

describe('streamed commands', () => {
  it.each([true, false])('leave the same in memory (one by one: %s)', async (oneByOne) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 120 }), async (operations) => {
        expect(await memoryAfter(operations, oneByOne, true)).toEqual(
          await memoryAfter(operations, oneByOne, false),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('take what they made again, and send it in bursts', async () => {
    const fake = new FakeDevice();
    const { counts } = streamCommands(fake.device);
    const runtime = new Runtime(fake.device, true);
    const step = async () => {
      for (let i = 0; i < 100; i++) runtime.dispatch([i % 4, (i + 1) % 4], i % 3, i % 5);
      await runtime.sync();
    };
    await step();
    const groups = fake.groups;
    fake.calls.length = 0;
    await step();
    expect(fake.groups).toBe(groups);
    expect(fake.calls.filter((call) => call === 'submit')).toHaveLength(4);
    expect(fake.calls.filter((call) => call !== 'submit')).toEqual([
      ...['pass', 'pass', 'pass', 'pass', 'wait'],
    ]);
    expect(counts).toMatchObject({ dispatches: 200, submissions: 8, bindGroups: 200 });
  });

  it('are sent before a turn of the loop is over, even if nobody waits', async () => {
    const fake = new FakeDevice();
    streamCommands(fake.device);
    const runtime = new Runtime(fake.device, true);
    runtime.dispatch([0, 1], 1, 1);
    expect(fake.calls).not.toContain('submit');
    await Promise.resolve();
    expect(fake.calls).toContain('submit');
  });

  it('keep the order of two encoders that are open at once', async () => {
    const fake = new FakeDevice();
    streamCommands(fake.device);
    const { device } = fake;
    const [a, b, c] = Array.from({ length: 3 }, () =>
      device.createBuffer({ size: 8, usage: STORAGE }),
    );
    device.queue.writeBuffer(a, 0, new Uint8Array(8).fill(5));
    const first = device.createCommandEncoder();
    const second = device.createCommandEncoder();
    first.copyBufferToBuffer(a, 0, b, 0, 8);
    second.copyBufferToBuffer(b, 0, c, 0, 8);
    device.queue.submit([first.finish(), second.finish()]);
    await device.queue.onSubmittedWorkDone();
    expect([...(c as unknown as FakeBuffer).bytes]).toEqual(Array(8).fill(5));
  });

  it('forget what they made of a buffer that ends', async () => {
    const fake = new FakeDevice();
    streamCommands(fake.device);
    const runtime = new Runtime(fake.device, false);
    runtime.dispatch([0, 1], 1, 1);
    runtime.replace(1);
    runtime.dispatch([0, 1], 1, 1);
    await runtime.sync();
    expect(fake.groups).toBe(2);
  });
});
