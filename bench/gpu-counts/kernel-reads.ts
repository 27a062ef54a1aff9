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
}

const KERNEL = /@workgroup_size\(([^)]*)\)\s*fn (\w+)/;
const STORAGE = /@binding\((\d+)\)\s*var<storage,\s*read>\s*(\w+)\s*:/g;
const UNIFORM = /@binding\((\d+)\)\s*var<uniform>/;
const FIELDS = /struct PODArgs \{([^}]*)\}/;
/** TVM packs a grid that is too long along x into x and z, and names its number so. */
const PACKED_X = /let (\w+)\s*:\s*i32\s*=\s*i32\(blockIdx\.z \* gridDim\.x \+ blockIdx\.x\)/;

/**
 * Reads a kernel's text as TVM writes it. Undefined where the text holds no kernel. What a local is
 * made of is followed, since TVM puts parts of an index into locals.
 */
export function kernelReads(code: string): KernelReads | undefined {
  const kernel = KERNEL.exec(code);
  if (kernel === null) return undefined;
  const [, size, name] = kernel;
  const workgroupSize = size
    .split(',')
    .map(Number)
    .reduce((product, side) => product * side, 1);
  const names = [...code.matchAll(STORAGE)].map(([, , buffer]) => buffer);
  const buffers = [...code.matchAll(STORAGE)].map(([, binding, buffer]) => {
    const indices = indicesOf(code, buffer);
    const depends = (on: RegExp) => indices.some((index) => on.test(index));
    const packed = PACKED_X.exec(code)?.[1];
    return {
      binding: Number(binding),
      name: buffer,
      splits: {
        x: depends(/blockIdx\.x/) || (packed !== undefined && depends(word(packed))),
        y: depends(/blockIdx\.y/),
      },
      isGathered: names.some((other) => other !== buffer && depends(word(other))),
    };
  });
  const uniform = UNIFORM.exec(code);
  const fields = FIELDS.exec(code)?.[1] ?? '';
  return {
    name,
    workgroupSize,
    buffers,
    uniforms: fields.split(',').flatMap((field) => field.split(':')[0].trim() || []),
    uniformBinding: uniform === null ? undefined : Number(uniform[1]),
  };
}

function word(name: string): RegExp {
  return new RegExp(`\\b${name}\\b`);
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
