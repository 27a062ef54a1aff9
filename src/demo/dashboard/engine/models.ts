import type { LoadConfig } from '../../../client';

/**
 * Models to offer on WebGPU: ids, memory and needs as in WebLLM's prebuilt list (0.2.86).
 * `f16` models need the GPU feature shader-f16; their `q4f32` twins run anywhere, with more memory.
 */
export interface ModelChoice {
  id: string;
  name: string;
  /** What it takes on the GPU, MB. */
  vramMb: number;
  f16: boolean;
  /** What it is good for, in a few words. */
  note: string;
}

export const MODELS: readonly ModelChoice[] = [
  {
    id: 'SmolLM2-360M-Instruct-q4f16_1-MLC',
    name: 'SmolLM2 360M',
    vramMb: 376,
    f16: true,
    note: 'smallest download',
  },
  {
    id: 'SmolLM2-360M-Instruct-q4f32_1-MLC',
    name: 'SmolLM2 360M, f32',
    vramMb: 580,
    f16: false,
    note: 'smallest download',
  },
  {
    id: 'Qwen2.5-0.5B-Instruct-q4f16_1-MLC',
    name: 'Qwen2.5 0.5B',
    vramMb: 945,
    f16: true,
    note: 'small, calls tools a little',
  },
  {
    id: 'Qwen2.5-0.5B-Instruct-q4f32_1-MLC',
    name: 'Qwen2.5 0.5B, f32',
    vramMb: 1060,
    f16: false,
    note: 'small, calls tools a little',
  },
  {
    id: 'Llama-3.2-1B-Instruct-q4f16_1-MLC',
    name: 'Llama 3.2 1B',
    vramMb: 879,
    f16: true,
    note: 'good for a first try',
  },
  {
    id: 'Llama-3.2-1B-Instruct-q4f32_1-MLC',
    name: 'Llama 3.2 1B, f32',
    vramMb: 1129,
    f16: false,
    note: 'good for a first try',
  },
  {
    id: 'Qwen2.5-1.5B-Instruct-q4f16_1-MLC',
    name: 'Qwen2.5 1.5B',
    vramMb: 1630,
    f16: true,
    note: 'calls tools',
  },
  {
    id: 'Qwen3-1.7B-q4f16_1-MLC',
    name: 'Qwen3 1.7B',
    vramMb: 2037,
    f16: true,
    note: 'thinks before it answers',
  },
  {
    id: 'Llama-3.2-3B-Instruct-q4f16_1-MLC',
    name: 'Llama 3.2 3B',
    vramMb: 2264,
    f16: true,
    note: 'better answers',
  },
  {
    id: 'Qwen2.5-3B-Instruct-q4f16_1-MLC',
    name: 'Qwen2.5 3B',
    vramMb: 2505,
    f16: true,
    note: 'calls tools well',
  },
  {
    id: 'Phi-3.5-mini-instruct-q4f16_1-MLC',
    name: 'Phi 3.5 mini',
    vramMb: 3672,
    f16: true,
    note: '3.8B, for 6 GB and more',
  },
  {
    id: 'Llama-3.1-8B-Instruct-q4f16_1-MLC',
    name: 'Llama 3.1 8B',
    vramMb: 5001,
    f16: true,
    note: 'for 8 GB and more',
  },
  {
    id: 'Hermes-3-Llama-3.1-8B-q4f16_1-MLC',
    name: 'Hermes 3 8B',
    vramMb: 4876,
    f16: true,
    note: 'made for tool calls, 8 GB and more',
  },
];

/** Devices of the simulated engine, by the names it knows them under. */
export const SIMULATED_DEVICES = [
  { id: 'integrated-gpu', name: 'Integrated GPU', note: 'Iris Xe, Llama 3.2 1B' },
  { id: 'laptop-gpu', name: 'Laptop GPU', note: 'RTX 4060 Laptop, Llama 3.2 3B' },
  { id: 'desktop-gpu', name: 'Desktop GPU', note: 'RTX 4090, Llama 3.1 8B' },
  { id: 'server-8b', name: 'Server GPU', note: 'A100, Llama 3.1 8B in 16 bits' },
  { id: 'server-8b-h100', name: 'Fast server GPU', note: 'H100, Llama 3.1 8B in 16 bits' },
] as const;

/** What to call an engine's model on the page. */
export function nameOf({ engine, model }: Pick<LoadConfig, 'engine' | 'model'>): string {
  const known: readonly { id: string; name: string }[] =
    engine === 'simulated' ? SIMULATED_DEVICES : MODELS;
  return known.find(({ id }) => id === model)?.name ?? model;
}
