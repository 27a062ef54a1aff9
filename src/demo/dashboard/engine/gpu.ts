/** What this browser's GPU can do for a real model. */
export type Gpu =
  | { available: false; why: string }
  | { available: true; name: string; f16: boolean };

let asked: Promise<Gpu> | undefined;

/** Asks once; a browser does not change its mind. */
export function findGpu(): Promise<Gpu> {
  asked ??= ask();
  return asked;
}

async function ask(): Promise<Gpu> {
  const gpu: GPU | undefined = navigator.gpu;
  if (gpu === undefined) {
    return {
      available: false,
      why: 'This browser has no WebGPU, so it cannot run a model itself. A recent Chrome, Edge or Safari can.',
    };
  }
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (adapter === null) {
    return {
      available: false,
      why: 'This browser has WebGPU, but finds no GPU for it. Look whether hardware acceleration is switched off.',
    };
  }
  const { vendor, architecture } = adapter.info;
  return {
    available: true,
    name: [vendor, architecture].filter(Boolean).join(' ') || 'a GPU',
    f16: adapter.features.has('shader-f16'),
  };
}
