/**
 * Named devices, as the simulated engine's cost model sees them. A step takes
 *
 *   overhead + max(weights, tokens · compute) + context · kv
 *
 * a roofline (Williams et al., CACM 2009): the weights are read once a step however many sequences
 * share it, until arithmetic on `tokens` (decodes and prefill together) takes longer; attention reads
 * the cache of every token attended to. All in ms.
 */
export interface DeviceProfile {
  name: string;
  /** A sentence: which device, which model. */
  description: string;
  /** Launching the step's kernels and reading the result back, ms. */
  overheadMs: number;
  /** Reading all weights once, ms. */
  weightsMs: number;
  /** Arithmetic for one token, ms. */
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

/** A device, from its data sheet, and how much of that a language model gets out of it. */
interface Device {
  /** GB/s */
  bandwidth: number;
  bandwidthShare: number;
  /** TFLOP/s at the model's precision, without sparsity. */
  teraflops: number;
  teraflopsShare: number;
  overheadMs: number;
}

/** A model, from its configuration. */
interface Model {
  /** Billions. */
  parameters: number;
  /** Weights as stored, GB. */
  gigabytes: number;
  /** Keys and values of one token in 16 bits: 2 · layers · KV heads · head size · 2 bytes. */
  kvBytes: number;
}

/** Llama 3.1 8B (32 layers, 8 KV heads of 128), and Llama 3.2 3B (28, 8, 128) and 1B (16, 8, 64). */
const LLAMA_8B = { parameters: 8.03, kvBytes: 131_072 };
const LLAMA_3B = { parameters: 3.21, kvBytes: 114_688 };
const LLAMA_1B = { parameters: 1.24, kvBytes: 32_768 };
/** Four bits a weight and a 16-bit scale for every 32 (MLC's q4f16_1). */
const FOUR_BITS = 4.5 / 8;

/** NVIDIA's data sheets: 2,039 GB/s and 312 TFLOP/s (A100 80 GB SXM), 3,350 and 989 (H100 SXM), both in bf16. */
const A100: Device = {
  bandwidth: 2039,
  bandwidthShare: 0.85,
  teraflops: 312,
  teraflopsShare: 0.6,
  overheadMs: 3,
};
const H100: Device = { ...A100, bandwidth: 3350, teraflops: 989, teraflopsShare: 0.5 };

/**
 * In a browser there are no tensor cores, and less of the bandwidth is reached: WebLLM decodes
 * Llama 3.1 8B in 4 bits at 41 tokens a second on an M3 Max, 71% of what MLC-LLM does natively there
 * (WebLLM, arXiv 2412.15803, table 1). GeForce RTX 4090: 1,008 GB/s, 83 TFLOP/s; RTX 4060 Laptop:
 * 256 GB/s, 15 TFLOP/s (NVIDIA's data sheets); Iris Xe, 96 units, LPDDR5-6400: 102 GB/s, 2.1 TFLOP/s
 * (Intel's).
 */
const RTX_4090: Device = {
  bandwidth: 1008,
  bandwidthShare: 0.7,
  teraflops: 83,
  teraflopsShare: 0.35,
  overheadMs: 3,
};
const RTX_4060_LAPTOP: Device = {
  bandwidth: 256,
  bandwidthShare: 0.7,
  teraflops: 15,
  teraflopsShare: 0.5,
  overheadMs: 4,
};
const IRIS_XE: Device = {
  bandwidth: 102,
  bandwidthShare: 0.6,
  teraflops: 2.1,
  teraflopsShare: 0.5,
  overheadMs: 6,
};

/** Times of a step's parts on `device`: bytes over bandwidth, and 2 operations for each parameter. */
function times(device: Device, model: Model) {
  const bytesPerMs = device.bandwidth * device.bandwidthShare * 1e6;
  const operationsPerMs = device.teraflops * device.teraflopsShare * 1e9;
  return {
    overheadMs: device.overheadMs,
    weightsMs: (model.gigabytes * 1e9) / bytesPerMs,
    computeMsPerToken: (2 * model.parameters * 1e9) / operationsPerMs,
    kvMsPerToken: model.kvBytes / bytesPerMs,
  };
}

/** What a tab may hold: up to 8 sequences a step, contexts of 4,096 tokens. */
const BROWSER = { pageSize: 16, maxSequences: 16, maxBatch: 8, contextWindow: 4096 };

/** The published artifact's engine: 32 sequences a step. 54 GB of the 80 are left for pages of 2 MB. */
const SERVER = {
  pageSize: 16,
  maxSequences: 256,
  maxBatch: 32,
  totalPages: 24_000,
  contextWindow: 32_768,
  maxPrefillTokens: 2048,
};

export const DEVICE_PROFILES = {
  'integrated-gpu': {
    ...BROWSER,
    ...times(IRIS_XE, { ...LLAMA_1B, gigabytes: LLAMA_1B.parameters * FOUR_BITS }),
    name: 'integrated-gpu',
    description: 'Integrated laptop GPU (Iris Xe), Llama 3.2 1B in 4 bits, in a browser.',
    totalPages: 2048,
    maxPrefillTokens: 256,
  },
  'laptop-gpu': {
    ...BROWSER,
    ...times(RTX_4060_LAPTOP, { ...LLAMA_3B, gigabytes: LLAMA_3B.parameters * FOUR_BITS }),
    name: 'laptop-gpu',
    description: 'Laptop GPU (RTX 4060 Laptop), Llama 3.2 3B in 4 bits, in a browser.',
    totalPages: 4096,
    maxPrefillTokens: 512,
  },
  'desktop-gpu': {
    ...BROWSER,
    ...times(RTX_4090, { ...LLAMA_8B, gigabytes: LLAMA_8B.parameters * FOUR_BITS }),
    name: 'desktop-gpu',
    description: 'Desktop GPU (RTX 4090), Llama 3.1 8B in 4 bits, in a browser.',
    totalPages: 4096,
    maxPrefillTokens: 1024,
  },
  'server-8b': {
    ...SERVER,
    ...times(A100, { ...LLAMA_8B, gigabytes: LLAMA_8B.parameters * 2 }),
    name: 'server-8b',
    description: 'Server GPU (A100 80 GB), Llama 3.1 8B in 16 bits.',
  },
  'server-8b-h100': {
    ...SERVER,
    ...times(H100, { ...LLAMA_8B, gigabytes: LLAMA_8B.parameters * 2 }),
    name: 'server-8b-h100',
    description: 'Server GPU (H100 80 GB), Llama 3.1 8B in 16 bits.',
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
