import { TempoError } from '../../scheduler';
import { BatchModel, PAGE_SIZE } from './batch-model';
import type { Internals } from './internals';
import { fits, type KvLimits, type KvSize, kvBytesPerToken, kvSize } from './kv-memory';

export interface KvRequest extends KvLimits {
  /** Bytes of the model's weights. */
  weights: number;
  /** Sequences the cache is to know at once, live or kept. */
  slots: number;
  /** Hears of every attempt before it is made. */
  onAttempt: (size: KvSize) => void;
}

/**
 * The device went away while the cache was made or first used: the runtime destroys it when it runs
 * out of memory. Only a new load, with less to allocate, can help.
 */
export class DeviceOverfull extends TempoError {
  /** What had been allocated for the KV cache, bytes. */
  readonly kvBytes: number;

  constructor(kvBytes: number, reason: string) {
    super(
      'out_of_memory',
      `The GPU ran out of memory while the model was loaded (${reason}). Close other pages that use it, or choose a smaller model.`,
    );
    this.kvBytes = kvBytes;
  }
}

/** Makes the KV cache as large as the budget says, or half of that, and so on, until it fits. */
export async function allocateKv(
  internals: Internals,
  device: GPUDevice,
  request: KvRequest,
): Promise<{ model: BatchModel; size: KvSize; halvings: number }> {
  const { metadata } = internals;
  const perToken = kvBytesPerToken(metadata) ?? 0;
  let size = kvSize(metadata, request.weights, request);
  for (let halvings = 0; ; halvings++) {
    request.onAttempt(size);
    const model = (await fits(device, metadata, size)) ? make(internals, request, size) : undefined;
    if (model !== undefined) return { model, size, halvings };
    const tokens = Math.floor(size.tokens / 2 / PAGE_SIZE) * PAGE_SIZE;
    if (tokens < 4 * PAGE_SIZE) {
      throw new TempoError(
        'out_of_memory',
        'The GPU has no room for a KV cache beside the model. Choose a smaller model, or close other pages that use the GPU.',
      );
    }
    size = { tokens, bytes: tokens * perToken };
  }
}

/** Undefined where the runtime fails to allocate after all. */
function make(
  internals: Internals,
  { slots }: KvRequest,
  { tokens }: KvSize,
): BatchModel | undefined {
  try {
    return new BatchModel(internals, {
      sequences: slots,
      tokens,
      chunk: internals.metadata.prefill_chunk_size,
    });
  } catch {
    return undefined;
  }
}
