/**
 * A product of rows with 4-bit weights, as the prebuilt libraries have it for up to 8 rows: `rows · weightsᵀ`,
 * to which a bias or a residual may be added. Weights come in groups of 32 with one scale, eight to a word.
 */
export interface RowProduct {
  /** The kernel's name in the library. */
  name: string;
  /** Numbers a row holds. */
  depth: number;
  /** Numbers a row of the result holds. */
  columns: number;
  /** Consecutive numbers of a row that a thread takes at a time. */
  taken: 2 | 4 | 8;
  /** What rows and scales, the sums, and the result are made of. */
  types: { number: string; sum: string; result: string };
  /** Storage buffers by what they hold: their bindings. */
  bindings: { output: number; weights: number; scales: number; input: number; added?: number };
  /** What is added: the same to every row, or a row to each. */
  added: 'nothing' | 'bias' | 'residual';
  uniformBinding: number;
  /** Fields of the uniform, in order, with their types. */
  fields: readonly { name: string; type: string }[];
  /** The field that says how many rows there are. */
  rowsField: string;
}

/** The entry point of ours. */
export const OWN_NAME = 'product_of_rows';
/** Rows that a workgroup of ours takes. */
export const OWN_ROWS = 8;
/** Threads of a workgroup, as in the library's kernel. */
const THREADS = 64;

const STORAGE = /@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)\s*:\s*array<(\w+)>/g;

/**
 * Reads a library's kernel for up to 8 rows of which a workgroup takes 4. Undefined where the text is
 * not such a kernel: whether what was read is right is for a trial on the device to say.
 */
export function readRowProduct(code: string): RowProduct | undefined {
  const name = /\bfn (\w*NT_matmul\w*_kernel_1)\s*\(/.exec(code)?.[1];
  const split = /\(i32\(blockIdx\.y\) \* 4i\) < podArgs\.(\w+)/.exec(code);
  const loop = /for \(var (\w+) : i32 = 0; \1 < (\d+)i; \1\+\+\) \{\s*dequantize_local/.exec(code);
  const uniform = /@binding\((\d+)\)\s*var<uniform> podArgs/.exec(code);
  const fields = /struct PODArgs \{([^}]*)\}/.exec(code)?.[1];
  if (!name || !split || !loop || !uniform || fields === undefined) return undefined;
  if (!code.includes(`@workgroup_size(${THREADS}, 1, 1)`)) return undefined;
  const taken = Number(/fma\([^;]*?\(i32\(threadIdx\.x\) \* (\d)i\)/.exec(code)?.[1]);
  const sum = /var<workgroup> red_buf0 : array<(f\d\d), 64>/.exec(code)?.[1];
  if ((taken !== 2 && taken !== 4 && taken !== 8) || sum === undefined) return undefined;
  const depth = THREADS * taken * Number(loop[2]);

  const buffers = [...code.matchAll(STORAGE)].map(([, binding, access, buffer, type]) => ({
    ...{ binding: Number(binding), access, buffer, type },
  }));
  const output = buffers.find(({ access }) => access === 'read_write');
  const weights = buffers.find(({ type }) => type === 'u32');
  const reads = (pattern: string, buffer: string) =>
    new RegExp(pattern.replace('BUFFER', buffer)).test(code);
  // (quarter of a word) - 7, times the group's scale.
  const scales = buffers.find(({ buffer }) =>
    reads('& 15u\\)\\) - 7\\.0*e\\+00[fh]\\) \\* BUFFER\\[', buffer),
  );
  const input = buffers.find(({ buffer }) => reads('fma\\((f32\\()?BUFFER\\[', buffer));
  if (!output || !weights || !scales || !input) return undefined;
  const rest = buffers.filter((one) => ![output, weights, scales, input].includes(one));
  const write = new RegExp(
    `\\b${output.buffer}\\[\\(\\(\\(\\(i32\\(blockIdx\\.y\\) \\* (\\d+)i\\) \\+ \\(ax0 \\* (\\d+)i\\)\\) \\+ \\(v__1 \\* 2i\\)\\) \\+ \\w+\\)\\] = (.*);`,
  ).exec(code);
  if (write === null || rest.length > 1) return undefined;
  const columns = Number(write[2]);
  if (Number(write[1]) !== 4 * columns || columns % 4 !== 0) return undefined;
  const [added] = rest;
  const kind =
    added === undefined
      ? 'nothing'
      : reads('\\+ BUFFER\\[\\(\\(v__1 \\* 2i\\) \\+ \\w+\\)\\]', added.buffer)
        ? 'bias'
        : 'residual';
  // The rows' and the columns' distances must be what a product of this depth has.
  if (!code.includes(`(v__1 * ${depth / 4}i)`) || !code.includes(`blockIdx.y) * ${4 * depth}i)`)) {
    return undefined;
  }
  return {
    name,
    depth,
    columns,
    taken,
    types: { number: input.type, sum, result: output.type },
    bindings: {
      output: output.binding,
      weights: weights.binding,
      scales: scales.binding,
      input: input.binding,
      added: added?.binding,
    },
    added: kind,
    uniformBinding: Number(uniform[1]),
    fields: fields.split(',').flatMap((field) => {
      const [field_, type] = field.split(':').map((part) => part.trim());
      return field_ ? [{ name: field_, type }] : [];
    }),
    rowsField: split[1],
  };
}

/**
 * A kernel for the same product, bindings and grid that reads each weight once for up to 8 rows, where the
 * library's reads it once for 4. A workgroup takes 8 rows and `columns` columns; those of the grid that are
 * then left over return at once. Every sum is added up in the library's order, so that results are the same.
 */
export function rowKernel(product: RowProduct, columns: 2 | 4): string {
  const { depth, taken, bindings, added, types, fields, rowsField } = product;
  const rows = range(OWN_ROWS);
  const ours = range(columns);
  const width = Math.min(4, taken);
  const steps = depth / (THREADS * taken);
  const each = (make: (row: number, column: number) => string) =>
    rows.flatMap((r) => ours.map((c) => make(r, c))).join('\n');
  const storage = (binding: number, name: string, of: string, access = 'read') =>
    `@group(0) @binding(${binding}) var<storage, ${access}> ${name} : array<${of}>;`;
  const cast = (value: string) => (types.sum === types.number ? value : `${types.sum}(${value})`);
  const plus = {
    nothing: '',
    bias: ' + added[column]',
    residual: ` + added[row * ${product.columns}i + column]`,
  }[added];

  /** Of a column: the word that the thread's numbers are in, and their scale; then the numbers. */
  const weights = (c: number) => [
    `    let word_${c} = weights[(first_column + ${c}i) * ${depth / 8}i + i * ${8 * taken}i + ((thread * ${taken}i) >> 3u)] >> shift;`,
    `    let scale_${c} = scales[(first_column + ${c}i) * ${depth / 32}i + i * ${2 * taken}i + ((thread * ${taken}i) >> 5u)];`,
    ...range(taken).map(
      (e) =>
        `    let weight_${c}_${e} = ${cast(`(${types.number}((word_${c} >> ${4 * e}u) & 15u) - 7) * scale_${c}`)};`,
    ),
  ];
  const row = (r: number) => [
    `    if (rows > ${r}i) {`,
    ...range(taken / width).map(
      (v) => `      let values_${v} = values[at + ${(r * depth) / width + v}i];`,
    ),
    ...range(taken).flatMap((e) => [
      `      let value_${e} = ${cast(`values_${Math.floor(e / width)}[${e % width}]`)};`,
      ...ours.map((c) => `      sum_${r}_${c} = fma(value_${e}, weight_${c}_${e}, sum_${r}_${c});`),
    ]),
    '    }',
  ];

  return `${Object.values(types).includes('f16') ? 'enable f16;' : ''}
${storage(bindings.output, 'result', types.result, 'read_write')}
${storage(bindings.weights, 'weights', 'u32')}
${storage(bindings.scales, 'scales', types.number)}
${storage(bindings.input, 'values', `vec${width}<${types.number}>`)}
${bindings.added === undefined ? '' : storage(bindings.added, 'added', types.result)}
struct Arguments { ${fields.map(({ name, type }) => `${name} : ${type}`).join(', ')} }
@group(0) @binding(${product.uniformBinding}) var<uniform> arguments : Arguments;
var<workgroup> sums : array<${types.sum}, ${OWN_ROWS * columns * THREADS}>;

@compute @workgroup_size(${THREADS}, 1, 1)
fn ${OWN_NAME}(
  @builtin(workgroup_id) group : vec3<u32>,
  @builtin(num_workgroups) grid : vec3<u32>,
  @builtin(local_invocation_id) local : vec3<u32>
) {
  let number = group.z * grid.x + group.x;
  let first_column = 2i * i32(number);
  let first_row = ${OWN_ROWS}i * i32(group.y);
  let rows = arguments.${rowsField} - first_row;
  if (number >= arguments.packGridDimX || rows <= 0i${columns === 4 ? ' || (number & 1u) == 1u' : ''}) { return; }
  let thread = i32(local.x);
  let shift = u32(((thread * ${taken}i) & 7i) * 4i);
${each((r, c) => `  var sum_${r}_${c} : ${types.sum} = 0;`)}
  for (var i = 0i; i < ${steps}i; i++) {
${ours.flatMap(weights).join('\n')}
    let at = (first_row * ${depth}i + i * ${THREADS * taken}i + thread * ${taken}i) / ${width}i;
${rows.flatMap(row).join('\n')}
  }
${each((r, c) => `  sums[${(r * columns + c) * THREADS}i + thread] = sum_${r}_${c};`)}
  workgroupBarrier();
  for (var half = ${THREADS / 2}i; half > 0i; half = half >> 1u) {
    for (var j = thread; j < ${OWN_ROWS * columns}i * half; j += ${THREADS}i) {
      let to = (j / half) * ${THREADS}i + j % half;
      sums[to] = sums[to] + sums[to + half];
    }
    workgroupBarrier();
  }
  let row = first_row + thread / ${columns}i;
  let column = first_column + thread % ${columns}i;
  if (thread < ${OWN_ROWS * columns}i && thread / ${columns}i < rows) {
    result[row * ${product.columns}i + column] = ${types.result}(sums[thread * ${THREADS}i])${plus};
  }
}
`;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
