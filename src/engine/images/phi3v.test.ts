import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PHI3V, phi3vShape } from './phi3v';

interface WebLlmSizes {
  calculateResizeShape(height: number, width: number): [number, number];
  calculateCropShape(height: number, width: number): [number, number];
  computeImageEmbedSize(height: number, width: number): number;
}

/** WebLLM's own reckoning, cut out of its bundle. */
function webLlmSizes(): WebLlmSizes {
  const file = createRequire(import.meta.url).resolve('@mlc-ai/web-llm');
  const bundle = readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  const cut = (name: string) => {
    const from = bundle.indexOf(`\n    ${name}(`) + 1;
    if (from === 0) throw new Error(`WebLLM's bundle has no "${name}".`);
    return bundle.slice(from, bundle.indexOf('\n    }\n', from) + 7);
  };
  const methods = ['calculateResizeShape', 'calculateCropShape', 'computeImageEmbedSize'].map(cut);
  const sizes = vm.runInThisContext(`new (class { ${methods.join('\n')} })()`);
  return Object.assign(sizes, { config: { model_type: 'phi3_v' } });
}

const planOf = (width: number, height: number) => {
  const plan = PHI3V.plan(width, height);
  if (typeof plan === 'string') throw new Error(plan);
  return plan;
};

describe('an image for Phi-3.5-vision', () => {
  it('is resized, cut into squares and counted as WebLLM does it', () => {
    const webLlm = webLlmSizes();
    const side = fc.integer({ min: 1, max: 6000 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const shape = phi3vShape(width, height);
        const resize = webLlm.calculateResizeShape(height, width);
        if (shape === undefined) {
          expect(Math.min(...resize)).toBe(0);
          return;
        }
        expect([shape.resize.height, shape.resize.width]).toEqual(resize);
        const crop = webLlm.calculateCropShape(height, width);
        expect([shape.crop.height, shape.crop.width]).toEqual(crop);
        expect(shape.rows).toBe(webLlm.computeImageEmbedSize(height, width));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    [1, 1, 2509],
    [336, 336, 2509],
    [1024, 768, 1921],
    [1920, 1080, 2353],
    [1080, 1920, 1357],
    [100, 1600, 2653],
  ])('of %i × %i pixels takes %i tokens', (width, height, tokens) => {
    expect(planOf(width, height).rows).toBe(tokens);
  });

  it('is fed as it is up to the size of a screen, and scaled down from there', () => {
    expect(planOf(1920, 1080)).toMatchObject({ width: 1920, height: 1080 });
    const { width, height, drawn } = planOf(8064, 6048);
    expect(width * height).toBeLessThanOrEqual(2 ** 21);
    expect(width * height).toBeGreaterThan(2 ** 21 - 5000);
    expect(width / height).toBeCloseTo(4 / 3, 2);
    expect(drawn).toEqual({ left: 0, top: 0, width, height });
  });

  it.each([
    [10, 161],
    [6000, 1],
  ])('of %i × %i pixels is too narrow, which is said', (width, height) => {
    expect(PHI3V.plan(width, height)).toMatch(`it is ${width} × ${height} pixels, too narrow`);
  });
});
