import { describe, expect, it } from 'vitest';
import { rowProductKernel } from '../testing/row-product-kernel';
import { readRowProduct, rowKernel } from './row-kernel';

const PRODUCT = { depth: 512, columns: 64, taken: 4, added: 'bias' } as const;

describe('a kernel of products of rows', () => {
  it.each(['nothing', 'bias', 'residual'] as const)(
    'is read out of its text, adding %s',
    (added) => {
      for (const taken of [2, 4, 8] as const) {
        const product = { ...PRODUCT, taken, added };
        expect(readRowProduct(rowProductKernel(product))).toEqual({
          ...product,
          name: 'made_up_NT_matmul_kernel_1',
          types: { number: 'f32', sum: 'f32', result: 'f32' },
          bindings: {
            ...{ output: 0, weights: 1, scales: 2, input: 3 },
            added: added === 'nothing' ? undefined : 4,
          },
          uniformBinding: added === 'nothing' ? 4 : 5,
          fields: [
            { name: 'batch_size', type: 'i32' },
            { name: 'packGridDimX', type: 'u32' },
          ],
          rowsField: 'batch_size',
        });
      }
    },
  );

  it('is left alone where anything is not as it is known', () => {
    const code = rowProductKernel(PRODUCT);
    for (const [part, other] of [
      ['_kernel_1(', '_kernel_2('],
      ['(64, 1, 1)', '(32, 1, 1)'],
      ['array<f32, 64>', 'array<f32, 32>'],
      ['- 7.000000', '- 8.000000'],
      ['k < 2i', 'k < 3i'],
      ['* 4i) < podArgs', '* 2i) < podArgs'],
    ]) {
      expect(code).toContain(part);
      expect(readRowProduct(code.replaceAll(part, other)), part).toBeUndefined();
    }
    expect(readRowProduct('fn main() {}')).toBeUndefined();
  });

  it('is written with the same bindings, and a vector for what a thread takes at a time', () => {
    const product = readRowProduct(rowProductKernel(PRODUCT));
    if (product === undefined) throw new Error('It was not read.');
    const code = rowKernel(product, 4);
    for (const binding of [0, 1, 2, 3, 4, 5]) expect(code).toContain(`@binding(${binding})`);
    expect(code).toContain('values : array<vec4<f32>>');
    expect(code).not.toContain('enable f16');
    const halves = { number: 'f16', sum: 'f32', result: 'f32' };
    expect(rowKernel({ ...product, types: halves }, 2)).toContain('enable f16;');
  });
});
