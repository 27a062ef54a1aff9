import type { EngineCapabilities, StepCosts } from '../../scheduler';
import type { BatchModel } from './batch-model';
import { isSoftwareDevice } from './gpu-device';
import { type Internals, runtimeHas, SWAP_FUNCTIONS } from './internals';
import type { KernelTrial, OwnKernels } from './own-kernels';
import { calibrate, measureSwap, type PrefixSharing, selfTest } from './self-test';
import { SwapSpace } from './swap-space';
import type { WebLlmOptions } from './webllm-options';

/** Longest the calibration may take, ms: a GPU needs a fraction of it. */
const CALIBRATION_MS = 600;

/** Longest the trial of kernels may take, ms, but for the one that is under way then. */
const KERNELS_MS = 600;

/** Where nothing was measured: about a laptop's GPU with a small model. The cost model learns on. */
const UNMEASURED: StepCosts = {
  baseMs: 30,
  perDecodeMs: 1,
  perContextTokenMs: 0.001,
  perPrefillTokenMs: 0.5,
};

const EVERYTHING: EngineCapabilities = {
  batchedDecode: true,
  continuedPrefill: true,
  mixedSteps: true,
};

/** What a device can be used for, and how fast it is. */
export interface DeviceTrial {
  capabilities: EngineCapabilities;
  prefixes: PrefixSharing;
  costs: StepCosts;
  swap?: { space: SwapSpace; msPerToken: number };
  /** What was left out or switched off, in plain sentences. */
  notes: string[];
}

/** Tests and times the device, unless it is not to be or is none. The cache is empty afterwards. */
export async function tryOut(
  model: BatchModel,
  internals: Internals,
  given: {
    /** Sequences that a step may take. */
    batch: number;
    adapter: GPUAdapter | undefined;
    kernels: OwnKernels | undefined;
    options: Pick<WebLlmOptions, 'selfTest' | 'ownKernels' | 'signal' | 'onProgress'>;
  },
): Promise<DeviceTrial> {
  const { batch, adapter, kernels, options } = given;
  if (options.ownKernels === 'untried') await kernels?.adoptUntried();
  const { pipeline, metadata } = internals;
  const wanted = options.selfTest ?? 'auto';
  if (wanted === 'never') return untried('The self-test was left out, as asked.');
  if (wanted === 'auto' && isSoftwareDevice(adapter)) {
    return untried(
      'The self-test was left out: this is a software device, on which it would take minutes.',
    );
  }
  const report = (text: string, fraction: number) => {
    options.signal?.throwIfAborted();
    options.onProgress?.({ phase: 'self-test', text, fraction });
  };
  report('Checking that this GPU computes rightly.', 0.94);
  // First, so that the rest of the test is of what will run.
  const own = options.ownKernels === 'never' ? undefined : await kernels?.tryOut(KERNELS_MS);
  // Untested, swapping is off: no library that can do it has been at hand.
  const space = runtimeHas(pipeline, Object.values(SWAP_FUNCTIONS))
    ? new SwapSpace(model, pipeline)
    : undefined;
  const found = await selfTest(model, pipeline, space);
  const { capabilities } = found;
  const notes = [...found.notes, ...(own === undefined ? [] : notesOf(own))];
  report('Measuring how long steps take.', 0.97);
  const costs = await calibrate(model, pipeline, {
    maxBatch: capabilities.batchedDecode ? batch : 1,
    chunk: capabilities.continuedPrefill ? metadata.prefill_chunk_size : 64,
    budgetMs: CALIBRATION_MS,
  });
  const trial: DeviceTrial = {
    capabilities,
    prefixes: found.prefixes,
    costs: costs ?? UNMEASURED,
    notes,
  };
  if (space === undefined) return trial;
  if (capabilities.swap) {
    trial.swap = { space, msPerToken: await measureSwap(model, pipeline, space) };
  } else {
    space.dispose();
  }
  return trial;
}

function notesOf({ adopted, speedup, unequal }: KernelTrial): string[] {
  const notes: string[] = [];
  if (adopted > 0) {
    notes.push(
      `Products of up to 8 rows run on kernels of Tempo's own (${adopted}), ${speedup.toFixed(1)} times as fast as the library's at 8.`,
    );
  }
  if (unequal.length > 0) {
    notes.push(
      `On this GPU kernels of Tempo's own give other results than the library's, which run.`,
    );
  }
  return notes;
}

function untried(note: string): DeviceTrial {
  const prefixes = { sharing: true, withinPage: true, trims: true };
  return { capabilities: EVERYTHING, prefixes, costs: UNMEASURED, notes: [note] };
}
