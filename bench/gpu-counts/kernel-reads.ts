/** How a kernel reads one of its storage buffers. */
export interface BufferReads {
  binding: number;
  name: string;
  /**
   * Which workgroups read different parts of it. Along a dimension that is not named here every
   * workgroup reads the same again: a product whose weights are indexed by x alone, on a grid of
   * x × 2, reads all weights twice.
   */
  splits: { x: boolean; y: boolean };
  /** Its index depends on what another buffer holds: rows of it are picked, not all read. */
  isGathered: boolean;
}

/** A kernel of a model library, as far as what it reads can be told from its WGSL. */
export interface KernelReads {
  name: string;
  workgroupSize: number;
  buffers: readonly BufferReads[];
  /** 4-byte fields of its uniform, in order: TVM's `PODArgs`. */
  uniforms: readonly string[];
  /** The uniform's binding. */
  uniformBinding: number | undefined;
  /** Workgroups along y take so many rows each, of those that a field of the uniform counts; the others return. */
  rows: { each: number; field: string } | undefined;
}

const KERNEL = /@workgroup_size\(([^)]*)\)\s*fn (\w+)/;
const STORAGE = /@binding\((\d+)\)\s*var<storage,\s*read>\s*(\w+)\s*:/g;
const UNIFORM = /@binding\((\d+)\)\s*var<uniform>/;
const FIELDS = /struct (?:PODArgs|Arguments) \{([^}]*)\}/;
/** What a local stands for. */
const LOCAL = /let (\w+)(?:\s*:\s*\w+)?\s*=\s*([^;]*);/g;
const ROWS =
  /let first_row = (\d+)i \* i32\(group\.y\);\s*let rows = arguments\.(\w+) - first_row;/;

/** Reads a kernel's text, as TVM or `rowKernel` writes it. Undefined where the text holds no kernel. */
export function kernelReads(code: string): KernelReads | undefined {
  const kernel = KERNEL.exec(code);
  if (kernel === null) return undefined;
  const [, size, name] = kernel;
  const workgroupSize = size
    .split(',')
    .map(Number)
    .reduce((product, side) => product * side, 1);
  const locals = new Map([...code.matchAll(LOCAL)].map(([, local, value]) => [local, value]));
  const names = [...code.matchAll(STORAGE)].map(([, , buffer]) => buffer);
  const buffers = [...code.matchAll(STORAGE)].map(([, binding, buffer]) => {
    const indices = indicesOf(code, buffer).map((index) => spelt(index, locals));
    const depends = (on: RegExp) => indices.some((index) => on.test(index));
    return {
      binding: Number(binding),
      name: buffer,
      splits: { x: depends(/\b(blockIdx|group)\.x/), y: depends(/\b(blockIdx|group)\.y/) },
      isGathered: names.some((other) => other !== buffer && depends(word(other))),
    };
  });
  const uniform = UNIFORM.exec(code);
  const rows = ROWS.exec(code);
  const fields = FIELDS.exec(code)?.[1] ?? '';
  return {
    name,
    workgroupSize,
    buffers,
    uniforms: fields.split(',').flatMap((field) => field.split(':')[0].trim() || []),
    uniformBinding: uniform === null ? undefined : Number(uniform[1]),
    rows: rows === null ? undefined : { each: Number(rows[1]), field: rows[2] },
  };
}

function word(name: string): RegExp {
  return new RegExp(`\\b${name}\\b`);
}

/** An index with what its locals stand for in their places. */
function spelt(index: string, locals: ReadonlyMap<string, string>, depth = 4): string {
  if (depth === 0) return index;
  return index.replace(/\b[a-z_]\w*\b/g, (name) => {
    const value = locals.get(name);
    return value === undefined ? name : `(${spelt(value, locals, depth - 1)})`;
  });
}

/** The texts between a buffer's brackets, wherever it is read. */
function indicesOf(code: string, buffer: string): string[] {
  const indices: string[] = [];
  for (const { index } of code.matchAll(new RegExp(`\\b${buffer}\\[`, 'g'))) {
    const start = index + buffer.length + 1;
    let depth = 1;
    let at = start;
    for (; at < code.length && depth > 0; at++) {
      if (code[at] === '[') depth++;
      if (code[at] === ']') depth--;
    }
    indices.push(code.slice(start, at - 1));
  }
  return indices;
}
