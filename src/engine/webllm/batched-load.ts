import { SequenceTable } from '../kv';
import type { StepEngine } from '../step-engine';
import type { ChatOptions, ModelRecord } from './app-config';
import { PAGE_SIZE } from './batch-model';
import { tryOut } from './device-trial';
import { nameOf } from './gpu-device';
import type { GpuWatch } from './gpu-watch';
import { imageInputOf } from './image-input';
import { ImageRows } from './image-rows';
import {
  hasManifest,
  IMAGE_RUNTIME_FUNCTIONS,
  type Internals,
  libraryHas,
  runtimeHas,
  SAMPLING_FUNCTIONS,
} from './internals';
import { allocateKv, DeviceOverfull } from './kv-allocation';
import { kvBytesPerToken, weightBytes } from './kv-memory';
import { grammarsOf } from './lazy-grammars';
import { loadedModel } from './loaded-model';
import { RowSampler } from './row-sampler';
import { WebLlmEngine } from './webllm-engine';
import { UNSAID_WINDOW, type WebLlmOptions } from './webllm-options';

/** Sequences at once, and finished ones kept as prefixes, where the caller does not say. */
const DEFAULT_SEQUENCES = 32;
const DEFAULT_KEPT = 32;

/**
 * The shortest prefix worth a fork, tokens. Every fork cuts its parent's keys and values in two blocks
 * and has a third; the runtime attends block by block and joins the results, two kernels more a layer
 * in every later step of both. That eats up what computing a few dozen tokens costs once.
 */
const MIN_SHARE = 64;

/** Why a model that WebLLM has loaded cannot be served in batches; undefined where it can. */
export function batchingObstacle({ metadata, pipeline }: Internals): string | undefined {
  if (hasManifest(pipeline)) return 'This model’s manifest has functions of its own.';
  const kind = metadata.kv_state_kind ?? 'kv_cache';
  if (kind !== 'kv_cache') return `This model's state is not a paged KV cache (${kind}).`;
  if (metadata.sliding_window_size > 0 || pipeline.config.sliding_window_size > 0) {
    return 'This model attends to a sliding window.';
  }
  if ((metadata.max_batch_size ?? 1) < 2) return 'This model library takes one sequence at a time.';
  const sees = typeof imageInputOf(pipeline) === 'object';
  if (sees && !runtimeHas(pipeline, Object.values(IMAGE_RUNTIME_FUNCTIONS))) {
    return 'This runtime cannot join images and texts.';
  }
  return undefined;
}

/** Makes the KV cache, tries the device out, and puts the engine together. */
export async function batchedEngine(
  options: WebLlmOptions,
  record: ModelRecord,
  internals: Internals,
  watch: GpuWatch & { device: GPUDevice },
  unload: () => Promise<void>,
  /** An earlier load ran out of memory. */
  again: boolean,
): Promise<StepEngine> {
  const { pipeline, metadata } = internals;
  const { device, adapter } = watch;
  const notes: string[] = [];
  if (watch.fixedKernels > 0) {
    notes.push(`Races in prebuilt kernels were put right: ${watch.fixedNames.join(', ')}.`);
  }
  const maxSequences = options.maxSequences ?? DEFAULT_SEQUENCES;
  const maxKept = options.keepPrefixes ?? DEFAULT_KEPT;
  const libraryBatch = Math.min(
    maxSequences,
    metadata.max_batch_size ?? 1,
    Math.floor(metadata.prefill_chunk_size / 2),
  );
  const contextWindow = Math.min(
    options.contextWindow ?? Number.POSITIVE_INFINITY,
    windowOf(internals, options.chatOptions, record.overrides),
  );
  const vocabSize = pipeline.config.vocab_size;
  const images = imageInputOf(pipeline);
  if (typeof images === 'string') notes.push(images);

  const { model, size, halvings } = await allocateKv(internals, device, {
    budgetBytes: options.kvBudgetBytes,
    weights: weightBytes(metadata, vocabSize),
    sequences: maxSequences,
    slots: maxSequences + maxKept + 1,
    contextWindow,
    maxBufferSize: device.limits.maxBufferSize,
    maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
    onAttempt: ({ tokens, bytes }) => {
      options.signal?.throwIfAborted();
      options.onProgress?.({
        phase: 'allocate',
        text: `Allocating a KV cache of ${mebibytes(bytes)} MiB for ${tokens} tokens.`,
        fraction: 0.92,
        totalBytes: bytes,
      });
    },
  });
  if (halvings > 0 || again) {
    notes.push(
      `The GPU had no room for a larger KV cache than ${mebibytes(size.bytes)} MiB (${size.tokens} tokens).`,
    );
  }

  // Whatever fails from here on may be the device, gone a moment before.
  const trial = settled().then(() =>
    tryOut(model, internals, { batch: libraryBatch, adapter, kernels: watch.ownKernels, options }),
  );
  const tested = await Promise.race([trial, gone()]);
  notes.push(...tested.notes);
  const sampler = await Promise.race([RowSampler.create(pipeline, vocabSize), gone()]);
  if (!sampler.onGpu && libraryHas(pipeline, SAMPLING_FUNCTIONS)) {
    notes.push('This GPU draws tokens wrongly, so they are drawn on the CPU.');
  }
  const maxBatch = tested.capabilities.batchedDecode ? libraryBatch : 1;
  const totalPages = model.availablePages;
  const table = new SequenceTable(
    {
      totalPages,
      pageSize: PAGE_SIZE,
      maxSequences,
      maxKept,
      sharing: tested.prefixes.sharing,
      sharesWithinPage: tested.prefixes.withinPage,
      minShare: MIN_SHARE,
      trims: tested.prefixes.trims,
    },
    model,
  );
  options.signal?.throwIfAborted();
  options.onProgress?.({ phase: 'ready', text: 'Ready.', fraction: 1 });
  return new WebLlmEngine({
    pipeline,
    batch: model,
    table,
    sampler,
    images: typeof images === 'object' ? new ImageRows(pipeline) : undefined,
    swap:
      tested.swap === undefined
        ? undefined
        : {
            ...tested.swap,
            budgetBytes: size.bytes,
            bytesPerToken: kvBytesPerToken(metadata) ?? 0,
          },
    grammars: grammarsOf(options.model, pipeline, options.startGrammars),
    model: loadedModel(options.model, pipeline, images),
    status: {
      kind: 'webllm',
      model: options.model,
      device: nameOf(adapter),
      mode: tested.capabilities.batchedDecode ? 'batched' : 'serial',
      notes,
      kvBytes: size.bytes,
    },
    capacity: {
      maxSequences,
      maxBatch,
      totalPages,
      pageSize: PAGE_SIZE,
      contextWindow,
      // Decodes ride in the same forward.
      maxPrefillTokens: metadata.prefill_chunk_size - maxBatch,
    },
    capabilities: tested.capabilities,
    costs: tested.costs,
    deviceLost: device.lost.then(({ message, reason }) => message || String(reason)),
    unload,
  });

  /** The cache is there, or the device is gone: allocation failures come late. */
  async function settled(): Promise<void> {
    await pipeline.device.sync();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  async function gone(): Promise<never> {
    const { message, reason } = await device.lost;
    throw new DeviceOverfull(size.bytes, message || String(reason));
  }
}

/** The longest prompt plus output: the first that says, and no more than the library was built for. */
function windowOf(
  { metadata }: Internals,
  ...options: readonly (ChatOptions | undefined)[]
): number {
  const most = metadata.context_window_size > 0 ? metadata.context_window_size : undefined;
  const wanted = options.map((given) => given?.context_window_size ?? -1).find((size) => size > 0);
  return Math.min(wanted ?? most ?? UNSAID_WINDOW, most ?? Number.POSITIVE_INFINITY);
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
