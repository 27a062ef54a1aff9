import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { build } from 'esbuild';
import { type MadeUpProduct, rowProductKernel } from '../src/engine/testing/row-product-kernel';

/**
 * Kernels of our own beside a library's, and streamed commands, on a real WebGPU device (a CPU's). The
 * library here is made up, in the manner of the prebuilt ones.
 */
const PRODUCTS: MadeUpProduct[] = [
  { depth: 256, columns: 64, taken: 2, added: 'nothing' },
  { depth: 512, columns: 128, taken: 4, added: 'residual' },
  { depth: 1024, columns: 32, taken: 8, added: 'bias' },
];

let watch: string;

test.beforeAll(async () => {
  const entry = fileURLToPath(new URL('../src/engine/webllm/gpu-watch.ts', import.meta.url));
  const built = await build({
    ...{ entryPoints: [entry], bundle: true, write: false },
    ...{ format: 'iife', globalName: 'gpuWatch' },
  });
  watch = built.outputFiles[0].text;
});

test('ours give what a library’s give, and one that does not is not adopted @webgpu', async ({
  page,
}) => {
  test.setTimeout(120_000);
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  // A page of its own: the demo's policy takes no script from elsewhere.
  await page.route('**/kernels', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Kernels</title>' }),
  );
  await page.goto('/kernels');
  await page.addScriptTag({ content: watch });
  const libraries = [
    ...PRODUCTS.map((product) => ({
      code: rowProductKernel(product),
      uniform: uniformOf(product),
    })),
    // Reads like the others, and computes twice as much.
    {
      code: rowProductKernel(PRODUCTS[1]).replace('(red_buf0[0i]', '(2.0 * red_buf0[0i]'),
      uniform: uniformOf(PRODUCTS[1]),
    },
  ];
  const trial = await page.evaluate(async (kernels) => {
    const { watchGpu } = Reflect.get(
      globalThis,
      'gpuWatch',
    ) as typeof import('../src/engine/webllm/gpu-watch');
    const watched = watchGpu(navigator.gpu);
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter?.requestDevice();
    watched.stop();
    if (device === undefined) throw new Error('There is no device.');
    const problems: string[] = [];
    device.onuncapturederror = ({ error }) => problems.push(error.message);
    for (const { code, uniform } of kernels) {
      const layout = device.createBindGroupLayout({
        entries: Array.from({ length: uniform + 1 }, (_, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: {
            type: binding === 0 ? 'storage' : binding === uniform ? 'uniform' : 'read-only-storage',
          } as const,
        })),
      });
      await device.createComputePipelineAsync({
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: {
          module: device.createShaderModule({ code }),
          entryPoint: 'made_up_NT_matmul_kernel_1',
        },
      });
    }
    const found = await watched.ownKernels?.tryOut();
    return { found, problems, commands: watched.commands };
  }, libraries);
  expect(trial.problems).toEqual([]);
  expect(errors).toEqual([]);
  expect(trial.found?.tried).toBe(4);
  expect(trial.found?.unequal).toHaveLength(1);
  expect(trial.commands?.bindGroupsMade).toBeLessThan((trial.commands?.bindGroups ?? 0) / 2);
});

function uniformOf({ added }: MadeUpProduct): number {
  return added === 'nothing' ? 4 : 5;
}
