import type { RowProduct } from '../webllm/row-kernel';

/** What a made-up kernel computes: see `RowProduct`. */
export type MadeUpProduct = Pick<RowProduct, 'depth' | 'columns' | 'taken' | 'added'>;

/**
 * A kernel in the manner of the prebuilt libraries': 32-bit rows times 4-bit weights, up to 8 rows, of which
 * a workgroup takes 4. `zero` is what a weight of 0 is written as: 7 in the libraries.
 */
export function rowProductKernel(
  { depth, columns, taken, added }: MadeUpProduct,
  zero = 7,
): string {
  const steps = depth / (64 * taken);
  const range = (count: number) => Array.from({ length: count }, (_, i) => i);
  const word = (column: number) =>
    `words[((((v__1 * ${depth / 4}i) + (k * ${8 * taken}i)) + ((i32(threadIdx.x) * ${taken}i)>>3u)) + ${(column * depth) / 8}i)]`;
  const scale = (column: number) =>
    `scales[((((v__1 * ${depth / 16}i) + (k * ${2 * taken}i)) + ((i32(threadIdx.x) * ${taken}i)>>5u)) + ${(column * depth) / 32}i)]`;
  const shift = (element: number) =>
    `u32((((i32(threadIdx.x) * ${taken}i) & 7i) + ${element}i) * 4i)`;
  const plus = {
    nothing: '',
    bias: ' + more[((v__1 * 2i) + c)]',
    residual: ` + more[((((i32(blockIdx.y) * ${4 * columns}i) + (ax0 * ${columns}i)) + (v__1 * 2i)) + c)]`,
  }[added];
  const more =
    added === 'nothing' ? '' : '@group(0) @binding(4) var<storage, read> more : array<f32>;';
  const uniform = added === 'nothing' ? 4 : 5;
  return `
@group(0) @binding(0) var<storage, read_write> product : array<f32>;
@group(0) @binding(1) var<storage, read> words : array<u32>;
@group(0) @binding(2) var<storage, read> scales : array<f32>;
@group(0) @binding(3) var<storage, read> given : array<f32>;
${more}
struct PODArgs {
  batch_size: i32,
  packGridDimX: u32
}
@group(0) @binding(${uniform}) var<uniform> podArgs : PODArgs;
var<workgroup> red_buf0 : array<f32, 64>;
@compute @workgroup_size(64, 1, 1)
fn made_up_NT_matmul_kernel_1(
  @builtin(workgroup_id) blockIdx : vec3<u32>,
  @builtin(num_workgroups) gridDim : vec3<u32>,
  @builtin(local_invocation_id) threadIdx : vec3<u32>
) {
  if (blockIdx.z * gridDim.x + blockIdx.x > podArgs.packGridDimX) { return; }
  let v__1 : i32 = i32(blockIdx.z * gridDim.x + blockIdx.x);
  var dequantize_local : array<f32, ${2 * taken}>;
  var partial : array<f32, 8>;
  for (var k : i32 = 0; k < ${steps}i; k++) {
${range(2)
  .flatMap((column) =>
    range(taken).map(
      (element) =>
        `    dequantize_local[${column * taken + element}i] = ((f32(((${word(column)}>>${shift(element)}) & 15u)) - ${zero}.000000e+00f) * ${scale(column)});`,
    ),
  )
  .join('\n')}
${range(4)
  .map(
    (
      row,
    ) => `    if ((${row === 0 ? '' : '('}i32(blockIdx.y) * 4i)${row === 0 ? '' : ` + ${row}i)`} < podArgs.batch_size) {
${range(2)
  .flatMap((column) =>
    range(taken).map((element) => {
      const sum = `partial[${2 * row + column}i]`;
      const at = `(((i32(blockIdx.y) * ${4 * depth}i) + (k * ${64 * taken}i)) + (i32(threadIdx.x) * ${taken}i)) + ${row * depth + element}i`;
      return `      ${sum} = fma(given[${at}], dequantize_local[${column * taken + element}i], ${sum});`;
    }),
  )
  .join('\n')}
    }`,
  )
  .join('\n')}
  }
  for (var ax0 : i32 = 0; ax0 < 4i; ax0++) {
    for (var c : i32 = 0; c < 2i; c++) {
      workgroupBarrier();
      red_buf0[i32(threadIdx.x)] = partial[((ax0 * 2i) + c)];
      for (var half : i32 = 32; half > 0i; half = half>>1u) {
        workgroupBarrier();
        if (i32(threadIdx.x) < half) {
          red_buf0[i32(threadIdx.x)] = (red_buf0[i32(threadIdx.x)] + red_buf0[(i32(threadIdx.x) + half)]);
        }
      }
      workgroupBarrier();
      if ((i32(threadIdx.x) == 0i) && (((i32(blockIdx.y) * 4i) + ax0) < podArgs.batch_size)) {
        product[((((i32(blockIdx.y) * ${4 * columns}i) + (ax0 * ${columns}i)) + (v__1 * 2i)) + c)] = (red_buf0[0i]${plus});
      }
    }
  }
}
`;
}
