import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { PassThroughCaches } from './cache-storage';

/** Mesa's software Vulkan device, where distributions put its description. */
const LLVMPIPE = '/usr/share/vulkan/icd.d/lvp_icd.json';

/**
 * Gives Node what a page has: `navigator.gpu` and the WebGPU constants (from Dawn, the npm package `webgpu`),
 * and `caches`. Takes the GPU that Vulkan (or Metal, or D3D) finds, else Mesa's llvmpipe, a software device.
 *
 * @returns the adapter's description.
 * @throws an error whose message is one sentence about what is missing.
 */
export async function setUpDawn(): Promise<string> {
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  const dawn = await import('webgpu').catch((error: unknown) => {
    throw new Error('The npm package `webgpu` has no build for this platform.', { cause: error });
  });
  Object.assign(globalThis, dawn.globals);
  let gpu = dawn.create([]);
  let adapter = await gpu.requestAdapter();
  if (adapter === null && !process.env.VK_DRIVER_FILES && existsSync(LLVMPIPE)) {
    process.env.VK_DRIVER_FILES = LLVMPIPE;
    gpu = dawn.create([]);
    adapter = await gpu.requestAdapter();
  }
  if (adapter === null) {
    throw new Error(
      "Dawn finds no WebGPU adapter: install a GPU's Vulkan driver, or Mesa's llvmpipe (24 or newer) " +
        'and set VK_DRIVER_FILES to its lvp_icd.json.',
    );
  }
  define('navigator', { gpu, userAgent: 'Node' });
  define('caches', new PassThroughCaches());
  const name = adapter.info.description || `${adapter.info.vendor} ${adapter.info.device}`;
  if (/llvmpipe|SwiftShader/i.test(name)) askSeldom();
  return name;
}

/**
 * While a command is under way Dawn's binding asks after it at every turn of the event loop, by the
 * global `setImmediate`, which takes a whole core. A software device needs that core itself, so there
 * it asks every millisecond.
 */
function askSeldom(): void {
  define('setImmediate', (ask: () => void) => setTimeout(ask, 1));
}

/** Node has some of these as getters, which assignment does not replace. */
function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
