/**
 * Named devices, as the simulated engine's cost model sees them. A step takes
 *
 *   overhead + max(weights, tokens · compute) + context · kv
 *
 * a roofline: the weights are read once a step however many sequences share it, until arithmetic on
 * `tokens` (decodes and prefill together) takes longer; attention reads the cache of every token
 * attended to. All in ms.
 */
export interface DeviceProfile {
  name: string;
  /** A sentence: which device, which model, where the numbers come from. */
  description: string;
  /** Launching the step's kernels and reading the result back, ms. */
  overheadMs: number;
  /** Reading all weights once, ms: model bytes / memory bandwidth. */
  weightsMs: number;
  /** Arithmetic for one token, ms: 2 · parameters / sustained FLOP/s. */
  computeMsPerToken: number;
  /** Reading one cached token's keys and values, ms. */
  kvMsPerToken: number;
  maxSequences: number;
  maxBatch: number;
  totalPages: number;
  pageSize: number;
  contextWindow: number;
  maxPrefillTokens: number;
}

const PAGE = { pageSize: 16 };

export const DEVICE_PROFILES = {
  'integrated-gpu': {
    ...PAGE,
    name: 'integrated-gpu',
    description:
      'Integrated laptop GPU (about 100 GB/s shared memory, 1.5 TFLOP/s sustained), a 1B model in 4 bits.',
    overheadMs: 6,
    weightsMs: 8,
    computeMsPerToken: 1.4,
    kvMsPerToken: 0.0004,
    maxSequences: 16,
    maxBatch: 8,
    totalPages: 2048,
    contextWindow: 4096,
    maxPrefillTokens: 256,
  },
  'laptop-gpu': {
    ...PAGE,
    name: 'laptop-gpu',
    description:
      'Laptop GPU (about 300 GB/s, 8 TFLOP/s sustained in WebGPU), a 3B model in 4 bits.',
    overheadMs: 4,
    weightsMs: 8,
    computeMsPerToken: 0.8,
    kvMsPerToken: 0.0003,
    maxSequences: 16,
    maxBatch: 8,
    totalPages: 4096,
    contextWindow: 4096,
    maxPrefillTokens: 512,
  },
  'desktop-gpu': {
    ...PAGE,
    name: 'desktop-gpu',
    description:
      'Desktop GPU (about 1 TB/s, 30 TFLOP/s sustained in WebGPU), an 8B model in 4 bits.',
    overheadMs: 3,
    weightsMs: 5,
    computeMsPerToken: 0.5,
    kvMsPerToken: 0.00013,
    maxSequences: 16,
    maxBatch: 8,
    totalPages: 4096,
    contextWindow: 4096,
    maxPrefillTokens: 1024,
  },
  'server-8b': {
    ...PAGE,
    name: 'server-8b',
    description: 'Server GPU (A100 80 GB: 2 TB/s, 200 TFLOP/s sustained), an 8B model in 16 bits.',
    overheadMs: 4,
    weightsMs: 8,
    computeMsPerToken: 0.08,
    kvMsPerToken: 0.000065,
    maxSequences: 256,
    maxBatch: 32,
    totalPages: 24_000,
    contextWindow: 32_768,
    maxPrefillTokens: 2048,
  },
} satisfies Record<string, DeviceProfile>;

export type DeviceProfileName = keyof typeof DEVICE_PROFILES;

export function isDeviceProfileName(name: string): name is DeviceProfileName {
  return Object.hasOwn(DEVICE_PROFILES, name);
}

/** Duration of a step on `profile`, ms. `contextTokens`: cached tokens attended to, all members together. */
export function stepMs(profile: DeviceProfile, tokens: number, contextTokens: number): number {
  return (
    profile.overheadMs +
    Math.max(profile.weightsMs, tokens * profile.computeMsPerToken) +
    contextTokens * profile.kvMsPerToken
  );
}
