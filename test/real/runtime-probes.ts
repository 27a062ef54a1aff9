import { SequenceSampling } from '../../src/engine/sampling';
import { BatchModel } from '../../src/engine/webllm/batch-model';
import { GpuSampler } from '../../src/engine/webllm/gpu-sampler';
import {
  type MlcPipeline,
  RUNTIME_FUNCTIONS,
  readInternals,
  SAMPLING_FUNCTIONS,
  type TvmTensor,
} from '../../src/engine/webllm/internals';
import { Lifeline } from '../../src/engine/webllm/lifeline';
import { inScope } from '../../src/engine/webllm/scope';
import { RandomBits } from './random';

/** A runtime to try out: a real one, or the stand-in. */
export interface Place {
  readonly pipeline: MlcPipeline;
  /** The engine and the model it has loaded, as `readInternals` wants them. */
  readonly engine: unknown;
  readonly model: string;
  readonly device: GPUDevice | undefined;
  /** Takes the GPU device away. */
  lose(): void;
}

/** Something to do in a runtime. What it returns must be the same in every one. */
export interface Probe {
  readonly name: string;
  run(place: Place): unknown;
}

/** Vocabulary that every runtime here can sample from: the stand-in's. */
const VOCABULARY = 264;

/** What a runtime does with the work: its result, or that it throws. */
function outcome<T>(work: () => T): T | 'throws' {
  try {
    return work();
  } catch {
    return 'throws';
  }
}

/** Makes a tensor of whole numbers on the GPU, in the current scope. */
function onGpu({ tvm, device }: MlcPipeline, values: number[]): TvmTensor {
  return tvm.empty([values.length], 'int32', device).copyFrom(values);
}

/** Issues a copy to the CPU, detached. */
function toHost({ tvm }: MlcPipeline, tensor: TvmTensor): TvmTensor {
  const host = tvm.empty([...tensor.shape], tensor.dtype, tvm.cpu());
  return tvm.detachFromCurrentScope(host.copyFrom(tensor));
}

const SCOPES: readonly Probe[] = [
  {
    name: 'objects without a scope',
    run: ({ pipeline: { tvm } }) => outcome(() => tvm.empty([1], 'int32', tvm.cpu())),
  },
  {
    name: 'a scope ends that never began',
    run: ({ pipeline: { tvm } }) => outcome(() => tvm.endScope()),
  },
  {
    name: 'a scope frees what is not detached',
    run: ({ pipeline: { tvm } }) => {
      const [kept, freed] = inScope(tvm, () => {
        const make = () => tvm.empty([1], 'int32', tvm.cpu()).copyFrom([7]);
        return [tvm.detachFromCurrentScope(make()), make()];
      });
      const values = [...kept.toArray()];
      kept.dispose();
      kept.dispose();
      return [values, outcome(() => freed.toArray())];
    },
  },
  {
    name: 'detaching twice, and from another scope',
    run: ({ pipeline: { tvm } }) =>
      inScope(tvm, () => {
        const tensor = tvm.empty([1], 'int32', tvm.cpu());
        const inner = outcome(() => inScope(tvm, () => tvm.detachFromCurrentScope(tensor)));
        tvm.detachFromCurrentScope(tensor);
        const twice = outcome(() => tvm.detachFromCurrentScope(tensor));
        tensor.dispose();
        return [inner, twice];
      }),
  },
  {
    name: 'shape tuples: the same one twice, one freed',
    run: ({ pipeline: { tvm } }) =>
      inScope(tvm, () => {
        const first = tvm.detachFromCurrentScope(tvm.makeShapeTuple([1, 2]));
        const second = tvm.makeShapeTuple([1, 2]);
        first.dispose();
        return [typeof second.dispose, first === second];
      }),
  },
];

const FUNCTIONS: readonly Probe[] = [
  {
    name: 'functions that there are not',
    run: ({ pipeline: { tvm, vm } }) =>
      inScope(tvm, () => [
        outcome(() => typeof vm.getFunction('no_such_function')),
        outcome(() => typeof tvm.getGlobalFunc('vm.builtin.no_such_function')),
      ]),
  },
  {
    name: 'the runtime functions',
    run: ({ pipeline: { tvm } }) =>
      inScope(tvm, () =>
        Object.values(RUNTIME_FUNCTIONS).map((name) => typeof tvm.getGlobalFunc(name)),
      ),
  },
  {
    name: 'the sampling functions',
    run: ({ pipeline: { tvm, vm } }) =>
      inScope(tvm, () => SAMPLING_FUNCTIONS.map((name) => typeof vm.getFunction(name))),
  },
  {
    name: 'functions outlive their scope once detached',
    run: ({ pipeline: { tvm, vm } }) => {
      const [kept, freed] = inScope(tvm, () => [
        tvm.detachFromCurrentScope(vm.getFunction('_metadata')),
        vm.getFunction('_metadata'),
      ]);
      const read = () => typeof JSON.parse(inScope(tvm, () => String(kept())));
      const values = [read(), read()];
      kept.dispose();
      return [values, outcome(() => inScope(tvm, () => freed()))];
    },
  },
  {
    name: 'what readInternals finds',
    run: ({ engine, model }) => {
      const found = readInternals(engine, model);
      return typeof found === 'string' ? found : Object.keys(found);
    },
  },
];

const TENSORS: readonly Probe[] = [
  {
    name: 'numbers in and out on the CPU',
    run: ({ pipeline: { tvm } }) =>
      inScope(tvm, () => {
        const floats = tvm.empty([2, 2], 'float32', tvm.cpu()).copyFrom([1, -2.5, 0, 4]);
        const ints = tvm.empty([3], 'int32', tvm.cpu()).copyFrom(Int32Array.of(1, -2, 1 << 30));
        return [floats, ints].map((tensor) => [
          [...tensor.shape],
          tensor.dtype,
          tensor.toArray().constructor.name,
          [...tensor.toArray()],
          [...tensor.toRawBytes()],
        ]);
      }),
  },
  {
    name: 'copyFrom returns its tensor; view has its own',
    run: ({ pipeline: { tvm } }) =>
      inScope(tvm, () => {
        const tensor = tvm.empty([4], 'int32', tvm.cpu());
        const view = tensor.view([2, 2]);
        const same = tensor.copyFrom([1, 2, 3, 4]) === tensor;
        return [same, view === tensor, [...view.shape], view.dtype, [...view.toArray()]];
      }),
  },
  {
    name: 'a view outlives its tensor',
    run: ({ pipeline: { tvm } }) =>
      inScope(tvm, () => {
        const tensor = tvm.detachFromCurrentScope(tvm.empty([4], 'int32', tvm.cpu()));
        const view = tensor.copyFrom([1, 2, 3, 4]).view([2, 2]);
        tensor.dispose();
        return [...view.toArray()];
      }),
  },
  {
    name: 'sizes that do not match',
    run: ({ pipeline: { tvm, device } }) =>
      inScope(tvm, () => {
        const tensor = tvm.empty([4], 'int32', device);
        return [
          outcome(() => typeof tensor.copyFrom([1, 2])),
          outcome(() => typeof tensor.copyFromRawBytes(new Uint8Array(4))),
        ];
      }),
  },
  {
    name: 'reading a GPU tensor directly',
    run: ({ pipeline: { tvm, device } }) =>
      inScope(tvm, () => {
        const tensor = tvm.empty([1], 'int32', device);
        return [outcome(() => tensor.toArray()), outcome(() => tensor.toRawBytes())];
      }),
  },
  {
    name: 'raw bytes to the GPU and back',
    run: async ({ pipeline }) => {
      const { tvm, device } = pipeline;
      const host = inScope(tvm, () => {
        const bytes = new Uint8Array(Float32Array.of(1.5, -2).buffer);
        return toHost(pipeline, tvm.empty([2], 'float32', device).copyFromRawBytes(bytes));
      });
      await device.sync();
      const found = [[...host.toArray()], [...host.toRawBytes()]];
      host.dispose();
      return found;
    },
  },
];

const COPIES: readonly Probe[] = [
  {
    name: 'copies to the CPU arrive with sync, each as of when it was issued',
    run: async ({ pipeline }) => {
      const { tvm, device } = pipeline;
      const [before, after, other] = inScope(tvm, () => {
        const tensor = onGpu(pipeline, [1, 2, 3]);
        const first = toHost(pipeline, tensor);
        tensor.copyFrom([4, 5, 6]);
        return [first, toHost(pipeline, tensor), toHost(pipeline, onGpu(pipeline, [9]))];
      });
      await device.sync();
      const found = [before, after, other].map((tensor) => [...tensor.toArray()]);
      for (const tensor of [before, after, other]) tensor.dispose();
      return found;
    },
  },
  {
    name: 'their source may be freed at once',
    run: async ({ pipeline }) => {
      const hosts = Array.from({ length: 20 }, (_, i) =>
        inScope(pipeline.tvm, () => toHost(pipeline, onGpu(pipeline, [i]))),
      );
      await pipeline.device.sync();
      const found = hosts.map((host) => host.toArray()[0]);
      for (const host of hosts) host.dispose();
      return found;
    },
  },
  {
    name: 'a sync that nobody waits for, before another that somebody does',
    run: async ({ pipeline }) => {
      const { tvm, device } = pipeline;
      const big = inScope(tvm, () => toHost(pipeline, tvm.empty([1 << 18], 'int32', device)));
      const first = inScope(tvm, () => toHost(pipeline, onGpu(pipeline, [1])));
      void device.sync();
      const second = inScope(tvm, () => toHost(pipeline, onGpu(pipeline, [2])));
      await device.sync();
      const found = [first, second].map((tensor) => [...tensor.toArray()]);
      for (const tensor of [big, first, second]) tensor.dispose();
      return found;
    },
  },
  {
    name: 'syncs with nothing to wait for',
    run: async ({ pipeline: { device } }) => {
      await device.sync();
      await Promise.all([device.sync(), device.sync()]);
      return 'done';
    },
  },
  {
    name: 'a view of a GPU tensor, copied',
    run: async ({ pipeline }) => {
      const { tvm, device } = pipeline;
      const host = inScope(tvm, () => toHost(pipeline, onGpu(pipeline, [1, 2, 3, 4]).view([2, 2])));
      await device.sync();
      const found = [[...host.shape], [...host.toArray()]];
      host.dispose();
      return found;
    },
  },
];

/** At most as many as one forward may take: the kernels' buffers are planned for that. */
export const MOST_ROWS = 4;

/** Rows of logits that differ widely, the same every time. */
function drawLogits(rows: number): Float32Array {
  const bits = new RandomBits('logits');
  return Float32Array.from({ length: rows * VOCABULARY }, () => (bits.next() / 2 ** 32) * 12 - 6);
}

const ROWS: readonly ConstructorParameters<typeof SequenceSampling>[0][] = [
  { sampling: { temperature: 0, topP: 1, seed: 1 } },
  { sampling: { temperature: 1, topP: 1, seed: 2, repetitionPenalty: 2 }, generated: [200, 7] },
  {
    sampling: {
      temperature: 1,
      topP: 0.9,
      seed: 4,
      presencePenalty: 1,
      frequencyPenalty: 0.5,
      repetitionPenalty: 1.5,
    },
    generated: [5, 6, 6, 200],
  },
  { sampling: { temperature: 0, topP: 1, seed: 5, logitBias: { 17: 30, 18: -30 } } },
];

const SAMPLING: readonly Probe[] = [
  {
    name: "the sampler's own trial",
    run: async ({ pipeline }) => {
      const sampler = new GpuSampler(pipeline, VOCABULARY);
      const works = await sampler.tryOut();
      sampler.dispose();
      return works;
    },
  },
  {
    name: 'repetition penalties, the way round that the kernel has them',
    run: async ({ pipeline }) => {
      const { tvm, vm, device } = pipeline;
      const host = inScope(tvm, () => {
        const row = tvm.empty([1, VOCABULARY], 'float32', device);
        row.copyFrom(new Float32Array(VOCABULARY).fill(2).fill(-2, 1));
        const ints = (values: number[]) => onGpu(pipeline, values);
        const penalties = tvm.empty([1, 3], 'float32', device).copyFrom([0, 0, 4]);
        vm.getFunction('apply_penalty_inplace')(
          row,
          ints([0]),
          ints([0, 0]),
          ints([0, 1]),
          ints([1, 1]),
          penalties,
        );
        return toHost(pipeline, row);
      });
      await device.sync();
      const found = [...host.toArray().slice(0, 3)];
      host.dispose();
      return found;
    },
  },
  {
    name: 'draws, and the logits they leave behind',
    run: async ({ pipeline }) => {
      const { tvm, device } = pipeline;
      const sampler = new GpuSampler(pipeline, VOCABULARY);
      await sampler.tryOut();
      const found: unknown[] = [];
      for (let round = 0; round < 3; round++) {
        const masks = ROWS.map((_, row) => (row % 2 === round % 2 ? evenTokens(round) : undefined));
        const rows = ROWS.map(
          (row) =>
            new SequenceSampling({
              ...row,
              sampling: { ...row.sampling, seed: (row.sampling.seed ?? 0) + 10 * round },
            }),
        );
        const [left, drawn] = inScope(tvm, () => {
          const logits = tvm
            .empty([rows.length, VOCABULARY], 'float32', device)
            .copyFrom(drawLogits(rows.length));
          const tokens = sampler.issue(logits, rows, masks);
          return [toHost(pipeline, logits), tokens];
        });
        await device.sync();
        const values = left.toArray();
        found.push([[...drawn.shape], [...drawn.toArray()]]);
        found.push([5, 6, 17, 18, 200].map((t) => round3(values[2 * VOCABULARY + t])));
        found.push([17, 18, 19].map((t) => round3(values[3 * VOCABULARY + t])));
        left.dispose();
        drawn.dispose();
      }
      sampler.dispose();
      return found;
    },
  },
  {
    name: 'one row alone draws what it draws in a batch',
    run: async ({ pipeline }) => {
      const { tvm, device } = pipeline;
      const sampler = new GpuSampler(pipeline, VOCABULARY);
      await sampler.tryOut();
      const logits = drawLogits(ROWS.length);
      const draw = async (rows: number[]) => {
        const values = Float32Array.from(
          rows.flatMap((row) => [...logits.subarray(row * VOCABULARY, (row + 1) * VOCABULARY)]),
        );
        const drawn = inScope(tvm, () =>
          sampler.issue(
            tvm.empty([rows.length, VOCABULARY], 'float32', device).copyFrom(values),
            rows.map((row) => new SequenceSampling(ROWS[row])),
            rows.map(() => undefined),
          ),
        );
        await device.sync();
        const tokens = [...drawn.toArray()];
        drawn.dispose();
        return tokens;
      };
      const together = await draw([...ROWS.keys()]);
      const alone: number[] = [];
      for (const row of ROWS.keys()) alone.push(...(await draw([row])));
      sampler.dispose();
      return [together, JSON.stringify(alone) === JSON.stringify(together)];
    },
  },
];

/** Every second token may come. */
function evenTokens(offset: number): Int32Array {
  return new Int32Array(Math.ceil(VOCABULARY / 32)).fill(
    offset % 2 === 0 ? 0x55555555 : ~0x55555555,
  );
}

function round3(value: number): number {
  return value < -1e30 ? -1e30 : Math.round(value * 1000) / 1000;
}

const KV_SIZE = { sequences: 4, tokens: 160, chunk: 64 };

/** Does one thing after another to a KV cache and writes down the free pages after each. */
function pagesOf(pipeline: MlcPipeline, steps: (model: BatchModel) => (() => unknown)[]): number[] {
  const model = new BatchModel({ pipeline, metadata: METADATA }, KV_SIZE);
  try {
    return [
      model.availablePages,
      ...steps(model).map((step) => {
        step();
        return model.availablePages;
      }),
    ];
  } finally {
    model.dispose();
  }
}

const METADATA = {
  model_type: 'probe',
  context_window_size: 160,
  sliding_window_size: -1,
  prefill_chunk_size: 64,
  params: [],
};

const KV: readonly Probe[] = [
  {
    name: 'pages: add, grow, pop, remove',
    run: ({ pipeline }) =>
      pagesOf(pipeline, (model) => [
        () => model.open(0),
        () => forward(pipeline, model, [0, 1]),
        () => forward(pipeline, model, [0, 15]),
        () => forward(pipeline, model, [0, 1]),
        () => model.open(3),
        () => forward(pipeline, model, [3, 32], [0, 1]),
        () => model.pop(3, 15),
        () => model.pop(3, 1),
        () => model.pop(3, 15),
        () => forward(pipeline, model, [3, 3]),
        () => model.close(0),
        () => model.close(3),
      ]),
  },
  {
    name: 'pages: forks at a page, within a page, of a whole sequence',
    run: ({ pipeline }) =>
      pagesOf(pipeline, (model) => [
        () => model.open(0),
        () => forward(pipeline, model, [0, 40]),
        () => model.fork(0, 1, 32),
        () => forward(pipeline, model, [1, 1]),
        () => model.fork(0, 2, 20),
        () => forward(pipeline, model, [2, 4], [0, 1]),
        () => model.fork(2, 3, 24),
        () => forward(pipeline, model, [3, 1], [2, 1]),
        () => model.close(0),
        () => model.close(2),
        () => model.close(1),
        () => model.close(3),
      ]),
  },
  {
    name: 'pages: pops back to a shared page; clear',
    run: ({ pipeline }) =>
      pagesOf(pipeline, (model) => [
        () => model.open(0),
        () => forward(pipeline, model, [0, 32]),
        () => model.fork(0, 1, 32),
        () => forward(pipeline, model, [1, 20], [0, 5]),
        () => model.pop(1, 20),
        () => forward(pipeline, model, [1, 2]),
        () => model.close(0),
        () => model.clear(),
        () => model.open(0),
        () => forward(pipeline, model, [0, 64]),
        () => forward(pipeline, model, [0, 64]),
        () => model.clear(),
      ]),
  },
];

/** Appends that many tokens to each sequence in one forward. */
function forward(pipeline: MlcPipeline, model: BatchModel, ...members: [number, number][]): void {
  inScope(pipeline.tvm, () =>
    model.forward(
      members.map(([slot, count]) => ({ slot, tokens: new Int32Array(count), wanted: true })),
    ),
  );
}

/** Everything that can be tried without harm. */
export const PROBES: readonly Probe[] = [
  ...SCOPES,
  ...FUNCTIONS,
  ...TENSORS,
  ...COPIES,
  ...SAMPLING,
  ...KV,
];

/** What a KV cache must not be asked for. After each, whether the runtime still computes. */
export const FAULTS: readonly Probe[] = (
  [
    ['a sequence is added twice', (model) => model.open(0)],
    ['an unknown sequence is removed', (model) => model.close(2)],
    ['more is popped than there is', (model) => model.pop(0, 1)],
    ['a fork of an unknown sequence', (model) => model.fork(2, 3, 1)],
    ['a forward of an unknown sequence', (model, pipeline) => forward(pipeline, model, [2, 1])],
    [
      'a forward longer than the cache',
      (model, pipeline) => {
        for (let i = 0; i < 3; i++) forward(pipeline, model, [0, 64]);
      },
    ],
  ] as [string, (model: BatchModel, pipeline: MlcPipeline) => void][]
).map(([name, fault]) => ({
  name: `fault: ${name}`,
  run: ({ pipeline }: Place) => {
    const model = new BatchModel({ pipeline, metadata: METADATA }, KV_SIZE);
    model.open(0);
    const thrown = outcome(() => fault(model, pipeline));
    const after = () => {
      model.clear();
      return model.availablePages;
    };
    return [thrown, outcome(after)];
  },
}));

/** What happens when the GPU device goes away. It ends the runtime. */
export const LOSS: readonly Probe[] = [
  {
    name: 'the device is lost with a copy under way',
    run: async ({ pipeline, device, lose }) => {
      if (device === undefined) return 'no device';
      const life = new Lifeline(device.lost.then(({ message, reason }) => message || reason));
      const host = inScope(pipeline.tvm, () => toHost(pipeline, onGpu(pipeline, [1])));
      const synced = settles(pipeline.device.sync());
      lose();
      const later = settles(pipeline.device.sync());
      const lost = await Promise.race([life.lost.then(({ code }) => code), seconds(5)]);
      const waited = life.wait(pipeline.device.sync()).then(
        () => 'resolves',
        ({ code }) => code,
      );
      await seconds(1);
      return {
        lost,
        waited: await waited,
        syncBefore: await synced,
        syncAfter: await later,
        scope: outcome(() => inScope(pipeline.tvm, () => 'works')),
        made: outcome(() =>
          inScope(pipeline.tvm, () => typeof pipeline.tvm.empty([1], 'int32', pipeline.device)),
        ),
        called: outcome(() =>
          inScope(pipeline.tvm, () => typeof pipeline.vm.getFunction('_metadata')()),
        ),
        freed: outcome(() => host.dispose()) === 'throws' ? 'throws' : 'freed',
      };
    },
  },
];

/** How a promise ends, if it does in a while. */
async function settles(work: Promise<unknown>): Promise<string> {
  return Promise.race([
    work.then(
      () => 'resolves',
      () => 'rejects',
    ),
    seconds(3).then(() => 'never ends'),
  ]);
}

function seconds(count: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing in time'), 1000 * count));
}
