import * as webllm from '@mlc-ai/web-llm';
import { STAND_IN_MODEL, StandIn } from '../../src/engine/testing/stand-in';
import { GpuSampler } from '../../src/engine/webllm/gpu-sampler';
import { watchGpu } from '../../src/engine/webllm/gpu-watch';
import {
  gpuBuffers,
  libraryHas,
  type MlcPipeline,
  runtimeDevice,
  runtimeHas,
  SAMPLING_FUNCTIONS,
  SWAP_FUNCTIONS,
  type TvmFunction,
  type TvmObject,
  type TvmTensor,
} from '../../src/engine/webllm/internals';
import type { RealRun } from './entry';
import { linkLeniently } from './link-leniently';
import { FAULTS, LOSS, type Place, PROBES, type Probe } from './runtime-probes';

/**
 * A real runtime against what the stand-in claims: each probe is run in both, and both must give the
 * same. An embedding model's library will do (there is one for the newest runtimes): a language
 * model's layers are not needed for it, since a KV cache of the runtime's own can be made with
 * kernels that do nothing. `faults`: also what aborts. `unfixed`: with the kernels as they are.
 */
export default async function newestRuntime(run: RealRun): Promise<unknown> {
  if (run.webllm === '0.2.79')
    throw new Error('This is about newer runtimes: take a library of v0_2_80.');
  const stubs = linkLeniently();
  const live = countBuffers();
  const watch = watchGpu(navigator.gpu, { fixKernels: !run.args.includes('unfixed') });
  const real = await loadReal(run);
  watch.stop();
  run.log(`WebLLM ${run.webllm}; imports made up: ${stubs.join(', ') || 'none'}.`);
  const device = runtimeDevice(real.pipeline);
  if (device === undefined || device !== watch.device) {
    throw new Error('The device that the runtime has is not the one that was watched.');
  }
  run.log(`Kernels put right: ${watch.fixedKernels} (${watch.fixedNames.join(', ')}).`);
  const has = (names: readonly string[]) => (runtimeHas(real.pipeline, names) ? 'yes' : 'no');
  run.log(`The runtime can swap: ${has(Object.values(SWAP_FUNCTIONS))}.`);
  const samples = libraryHas(real.pipeline, SAMPLING_FUNCTIONS);

  const different: string[] = [];
  const compare = async (probe: Probe, places: readonly [Place, Place], quiet = false) => {
    const [actual, claimed] = [await attempt(probe, places[0]), await attempt(probe, places[1])];
    const same = actual === claimed;
    if (!same) different.push(probe.name);
    if (same && !quiet) run.log(`same      ${probe.name}: ${actual}`);
    if (!same) {
      run.log(`DIFFERENT ${probe.name}\n  real:     ${actual}\n  stand-in: ${claimed}`);
    }
  };
  const first = [real, await loadStandIn(samples)] as const;
  for (const probe of PROBES) await compare(probe, first);
  for (const vocabulary of samples ? [1000, 50_257, 151_936] : []) {
    const sampler = new GpuSampler(real.pipeline, vocabulary);
    run.log(`The sampler's trial with a vocabulary of ${vocabulary}: ${await sampler.tryOut()}.`);
    sampler.dispose();
  }
  const once = gpuBuffers(real.pipeline);
  for (const probe of PROBES) await compare(probe, first, true);
  const twice = gpuBuffers(real.pipeline);
  run.log(`GPU buffers after one round and after two: ${JSON.stringify([once, twice])}.`);
  if (once?.buffers !== twice?.buffers) different.push('GPU buffers left behind');

  await real.unload();
  run.log(`GPU buffers alive after unload: ${live()}.`);
  if (live() > 0) different.push('GPU buffers alive after unload');
  const second = [await loadReal(run), await loadStandIn(samples)] as const;
  for (const probe of run.args.includes('faults') ? FAULTS : []) await compare(probe, second);
  for (const probe of LOSS) await compare(probe, second);
  return { different };
}

/** Counts the GPU buffers that have been made and not destroyed, from now on. */
function countBuffers(): () => number {
  const live = new Set<GPUBuffer>();
  const create = GPUDevice.prototype.createBuffer;
  GPUDevice.prototype.createBuffer = function (this: GPUDevice, descriptor) {
    const buffer = create.call(this, descriptor);
    const destroy = buffer.destroy;
    live.add(buffer);
    buffer.destroy = () => {
      live.delete(buffer);
      return destroy.call(buffer);
    };
    return buffer;
  };
  return () => live.size;
}

async function attempt(probe: Probe, place: Place): Promise<string> {
  try {
    return JSON.stringify(await probe.run(place)) ?? 'undefined';
  } catch (error) {
    const { name, message } = Object(error) as { name?: string; message?: string };
    return `throws ${name}: ${message?.slice(0, 300)}`;
  }
}

/** What is used here of the real runtime beyond what the engine uses. */
interface RealTvm {
  toPackedFunc(run: () => unknown): TvmFunction;
  makeTVMArray(items: readonly (TvmObject | string)[]): TvmObject;
}

async function loadReal(run: RealRun): Promise<Place & { unload(): Promise<void> }> {
  const embeds = run.metadata.model_type === 'bert';
  const record = embeds ? { ...run.record, model_type: webllm.ModelType.embedding } : run.record;
  const engine = new webllm.MLCEngine({ appConfig: { model_list: [record] }, logLevel: 'SILENT' });
  await engine.reload(record.model_id, embeds ? {} : { context_window_size: 64 });
  const pipelines = Reflect.get(engine, 'loadedModelIdToPipeline') as Map<string, MlcPipeline>;
  const loaded = pipelines.get(record.model_id);
  if (loaded === undefined) throw new Error('Nothing was loaded.');
  const pipeline = embeds ? withLayersThatDoNothing(loaded) : loaded;
  return {
    pipeline,
    engine: { loadedModelIdToPipeline: new Map([[record.model_id, pipeline]]) },
    model: record.model_id,
    device: runtimeDevice(pipeline),
    lose: () => runtimeDevice(pipeline)?.destroy(),
    unload: () => engine.unload(),
  };
}

const LAYERS = 2;
const HEAD_DIM = 8;

/** The pipeline as if its library had a language model's functions: they return what they should. */
function withLayersThatDoNothing(pipeline: MlcPipeline): MlcPipeline {
  const tvm = pipeline.tvm as MlcPipeline['tvm'] & RealTvm;
  const { vm, device } = pipeline;
  const logits = (rows: number, shape: number[]) =>
    tvm.makeTVMArray([tvm.empty(shape, 'float32', device), tvm.empty([rows], 'float32', device)]);
  const made: Record<string, (...args: never[]) => unknown> = {
    embed: (ids: TvmTensor) => tvm.empty([ids.shape[0], HEAD_DIM], 'float32', device),
    batch_prefill: (_hidden: TvmTensor, positions: TvmTensor) =>
      logits(positions.shape[0], [1, positions.shape[0], 8]),
    batch_decode: (hidden: TvmTensor) => logits(hidden.shape[0], [hidden.shape[0], 1, 8]),
    prefill: () => logits(1, [1, 1, 8]),
    decode: () => logits(1, [1, 1, 8]),
    create_tir_paged_kv_cache: (...sizes: TvmObject[]) => createKvCache(tvm, pipeline, sizes),
  };
  const remembered = new WeakMap<object, number[]>();
  return {
    ...pipeline,
    device,
    params: pipeline.params,
    tokenizer: pipeline.tokenizer,
    config: pipeline.config,
    embed: asFunction(made.embed),
    tvm: new Proxy(tvm, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name === 'makeShapeTuple') {
          return (shape: number[]) => {
            const tuple = target.makeShapeTuple(shape);
            remembered.set(tuple, shape);
            return tuple;
          };
        }
        // Functions that are made here are no objects of the runtime.
        if (name === 'detachFromCurrentScope') {
          return <T extends TvmObject>(object: T) =>
            'madeHere' in object ? object : target.detachFromCurrentScope(object);
        }
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
    vm: {
      getFunction: (name) => (name in made ? asFunction(made[name]) : vm.getFunction(name)),
    },
  };

  function createKvCache(
    runtime: MlcPipeline['tvm'] & RealTvm,
    { device: gpu }: MlcPipeline,
    sizes: readonly TvmObject[],
  ): unknown {
    const config = sizes.flatMap((size) => remembered.get(size) ?? []);
    const nothing = runtime.toPackedFunc(() => null);
    const none = runtime.makeTVMArray([]);
    const int = (value: number) => runtime.scalar(value, 'int64');
    const create = runtime.getGlobalFunc('vm.builtin.paged_attention_kv_cache_create');
    const given: unknown[] = [
      runtime.makeShapeTuple(config),
      runtime.makeShapeTuple([0, LAYERS]),
      int(1), // query heads
      int(1), // key and value heads
      int(HEAD_DIM),
      int(HEAD_DIM),
      runtime.makeShapeTuple(Array.from({ length: LAYERS }, () => 0)), // all of them attend fully
      false, // nothing is sent to other machines
      int(1), // rotary embeddings
      runtime.scalar(1, 'float32'),
      runtime.scalar(10_000, 'float32'),
      null,
      runtime.empty([1], 'float32', gpu),
      nothing,
      null,
      ...Array.from({ length: 8 }, () => none), // ways to attend
      runtime.makeTVMArray([nothing]),
      nothing,
      nothing,
      nothing,
      nothing,
    ];
    return (create as unknown as (...args: unknown[]) => unknown)(...given);
  }
}

function asFunction(run: (...args: never[]) => unknown): TvmFunction {
  const made = (...args: never[]) => run(...args);
  return Object.assign(made, { dispose: () => {}, madeHere: true }) as unknown as TvmFunction;
}

async function loadStandIn(samplesOnGpu: boolean): Promise<Place> {
  const world = new StandIn({ samplesOnGpu });
  const watch = watchGpu(world.gpu);
  const { engine, pipeline } = await world.load();
  const lose = () => world.loseDevice();
  return { pipeline, engine, model: STAND_IN_MODEL, device: watch.device, lose };
}
