import { TempoError } from '../../scheduler';
import { PAGE_SIZE } from './batch-model';
import type { LibraryMetadata } from './internals';

/** How large the KV cache is to be. */
export interface KvSize {
  /** KV slots, a multiple of the page size. */
  tokens: number;
  bytes: number;
}

export interface KvLimits {
  /** Bytes the user allows. Default: see `defaultBudget`. */
  budgetBytes?: number;
  /** Most sequences at once. */
  sequences: number;
  /** Tokens a sequence may have. */
  contextWindow: number;
  /** The device's limits, bytes. */
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
}

/** Bytes one token's keys and values take, over all layers; undefined where the metadata has no shape. */
export function kvBytesPerToken(metadata: LibraryMetadata): number | undefined {
  const layer = layerBytesPerToken(metadata);
  return layer === undefined ? undefined : layer * (metadata.kv_cache?.num_hidden_layers ?? 0);
}

function layerBytesPerToken({
  kv_cache: shape,
  quantization,
}: LibraryMetadata): number | undefined {
  if (shape === undefined) return undefined;
  const element = quantization?.includes('f16') ? 2 : 4;
  return 2 * shape.num_key_value_heads * shape.head_dim * element;
}

/** Bytes of all weights; dimensions given by name count with `vocabSize`. */
export function weightBytes(metadata: LibraryMetadata, vocabSize: number): number {
  let bytes = 0;
  for (const { shape, dtype } of metadata.params) {
    const elements = shape.reduce<number>(
      (product, size) => product * (typeof size === 'number' ? size : vocabSize),
      1,
    );
    bytes += (elements * Number(/\d+$/.exec(dtype)?.[0] ?? 32)) / 8;
  }
  return bytes;
}

/**
 * The KV cache's memory where the user says nothing: half of what the weights take, at least 256 MiB
 * and at most 2 GiB. WebGPU does not tell how much memory a device has, so the model, which the user
 * chose as fitting, is the best guide.
 */
export function defaultBudget(weights: number): number {
  return Math.min(2 * 2 ** 30, Math.max(256 * 2 ** 20, weights / 2));
}

/**
 * The largest cache within the budget, the device's buffer limits (each layer is one buffer) and
 * what the sequences could fill. Throws out_of_memory where not even four pages fit.
 */
export function kvSize(metadata: LibraryMetadata, weights: number, limits: KvLimits): KvSize {
  const perToken = kvBytesPerToken(metadata);
  const layerToken = layerBytesPerToken(metadata);
  if (perToken === undefined || layerToken === undefined) {
    // Without a shape to reckon with: one context window for four sequences.
    return { tokens: wholePages(4 * limits.contextWindow), bytes: 0 };
  }
  const budget = limits.budgetBytes ?? defaultBudget(weights);
  const layer = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  // The runtime adds one page of its own.
  const tokens = wholePages(
    Math.min(
      budget / perToken,
      layer / layerToken - PAGE_SIZE,
      limits.sequences * limits.contextWindow,
    ),
  );
  if (tokens < 4 * PAGE_SIZE) {
    throw new TempoError(
      'out_of_memory',
      `A KV cache of ${Math.round(budget / 2 ** 20)} MiB holds only ${Math.max(0, tokens)} tokens of this model. Allow it more memory, or choose a smaller model.`,
    );
  }
  return { tokens, bytes: tokens * perToken };
}

function wholePages(tokens: number): number {
  return Math.floor(tokens / PAGE_SIZE) * PAGE_SIZE;
}

/**
 * Whether the device has room for the cache, found out by allocating as much and giving it back.
 * WebLLM's own allocations destroy the device when one fails; this does not.
 */
export async function fits(
  device: GPUDevice,
  metadata: LibraryMetadata,
  { bytes }: KvSize,
): Promise<boolean> {
  const layers = metadata.kv_cache?.num_hidden_layers ?? 0;
  if (layers === 0 || bytes === 0) return true;
  const buffers: GPUBuffer[] = [];
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  try {
    for (let layer = 0; layer < layers; layer++) {
      buffers.push(
        device.createBuffer({ size: Math.ceil(bytes / layers / 4) * 4, usage: STORAGE }),
      );
    }
  } catch {
    await Promise.all([device.popErrorScope(), device.popErrorScope()]);
    return false;
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
  const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
  return errors.every((error) => error === null);
}

/** GPUBufferUsage.STORAGE, which is not defined outside browsers. */
const STORAGE = 0x80;
