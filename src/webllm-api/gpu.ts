/** What pages ask of the GPU before they choose a model. */
import { WebLLMError } from './errors';

/** What WebLLM binds where the GPU lets it, and what it falls back to, bytes. */
const WANTED = 2 ** 30;
const FALLBACK = 2 ** 27;

/** The largest buffer that WebLLM would bind on this GPU, bytes; a simulated one takes any. */
export async function maxStorageBufferBindingSize(simulated: boolean): Promise<number> {
  if (simulated) return WANTED;
  const { limits } = await adapter();
  if (limits.maxStorageBufferBindingSize >= WANTED) return WANTED;
  if (limits.maxStorageBufferBindingSize >= FALLBACK) return FALLBACK;
  throw new WebLLMError(
    'FeatureSupportError',
    'unsupported',
    `This GPU binds buffers of at most ${limits.maxStorageBufferBindingSize} bytes; models need ${FALLBACK}.`,
  );
}

/** `apple`, `arm`, `qualcomm`, …; empty where the browser does not tell, and for a simulated GPU. */
export async function gpuVendor(simulated: boolean): Promise<string> {
  return simulated ? '' : (await adapter()).info.vendor;
}

async function adapter(): Promise<GPUAdapter> {
  const { gpu } = (globalThis.navigator ?? {}) as Partial<Navigator>;
  const found = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (found) return found;
  throw new WebLLMError(
    'WebGPUNotAvailableError',
    'webgpu_unavailable',
    'WebGPU is not available here. Use a recent browser with hardware acceleration on, over https or on localhost.',
  );
}
