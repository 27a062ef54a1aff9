import { describe, expect, it } from 'vitest';
import { aboveCeilings } from '../bench/gpu-counts/ceilings';
import type { CountsRow } from '../bench/gpu-counts/entry';
import { kernelReads } from '../bench/gpu-counts/kernel-reads';
import { rowProductKernel } from '../src/engine/testing/row-product-kernel';
import { readRowProduct, rowKernel } from '../src/engine/webllm/row-kernel';

const ROW: CountsRow = {
  ...{ engine: 'tempo', mode: 'decode', rows: 1, prompt: 0, dispatches: 243, commandBuffers: 10 },
  ...{ submissions: 10, buffersMade: 2, bindGroupsMade: 1, bytesMapped: 600_000 },
  ...{ weightBytes: 3e8, kvBytes: 0, waitsPerToken: 3, msPerDispatch: 0.1 },
};

describe('what a kernel reads', () => {
  const product = { depth: 512, columns: 64, taken: 4, added: 'bias' } as const;
  const code = rowProductKernel(product);

  it('is once for every row of workgroups that its index does not tell apart', () => {
    const reads = kernelReads(code);
    expect(reads).toMatchObject({
      name: 'made_up_NT_matmul_kernel_1',
      workgroupSize: 64,
      uniforms: ['batch_size', 'packGridDimX'],
      uniformBinding: 5,
      rows: undefined,
    });
    expect(reads?.buffers).toMatchObject([
      { name: 'words', splits: { x: true, y: false }, isGathered: false },
      { name: 'scales', splits: { x: true, y: false }, isGathered: false },
      { name: 'given', splits: { x: false, y: true }, isGathered: false },
      { name: 'more', splits: { x: true, y: false }, isGathered: false },
    ]);
  });

  it('is found in ours, whose surplus workgroups return', () => {
    const read = readRowProduct(code);
    if (read === undefined) throw new Error('It was not read.');
    const reads = kernelReads(rowKernel(read, 4));
    expect(reads?.rows).toEqual({ each: 8, field: 'batch_size' });
    expect(reads?.buffers).toMatchObject([
      { name: 'weights', splits: { x: true, y: false } },
      { name: 'scales', splits: { x: true, y: false } },
      { name: 'values', splits: { x: false, y: true } },
      { name: 'added' },
    ]);
  });

  it('is a part of it where another buffer says which', () => {
    const gather = code.replace('words[((((v__1', 'words[((((i32(given[0]) + v__1');
    expect(kernelReads(gather)?.buffers[0]).toMatchObject({ name: 'words', isGathered: true });
  });

  it('is nothing where there is no kernel', () => {
    expect(kernelReads('const a = 1;')).toBeUndefined();
  });
});

describe('the ceilings of a step', () => {
  it('are named where they are exceeded', () => {
    expect(aboveCeilings([ROW, { ...ROW, rows: 8, waitsPerToken: 3 / 8 }], true)).toEqual([]);
    const twice = { ...ROW, rows: 8, waitsPerToken: 3 / 8, weightBytes: 6e8, submissions: 244 };
    expect(aboveCeilings([ROW, twice], true)).toEqual([
      'A decode step of 8: submissions 244, 12 at most.',
      'A decode step of 8: weightReads 2, 1.05 at most.',
    ]);
    expect(aboveCeilings([ROW, { ...twice, submissions: 10 }], false)).toEqual([]);
    expect(aboveCeilings([{ ...twice, engine: 'webllm' }], true)).toEqual([]);
  });
});
