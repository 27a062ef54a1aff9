/** Section ids of the WebAssembly binary format (webassembly.github.io/spec/core/binary). */
const EXPORT_SECTION = 7;
const GLOBAL_EXPORT = 3;
const HEADER_BYTES = 8;

/**
 * The same module with global `index` exported as `name`; the module itself where it has no export
 * section. (Compilers of the LLVM family keep the stack pointer in global 0.)
 */
export function withExportedGlobal(
  wasm: Uint8Array,
  name: string,
  index: number,
): Uint8Array<ArrayBuffer> {
  const module = Uint8Array.from(wasm);
  for (let at = HEADER_BYTES; at < module.length; ) {
    const id = module[at];
    const size = readUnsigned(module, at + 1);
    const end = size.next + size.value;
    if (id === EXPORT_SECTION) {
      const count = readUnsigned(module, size.next);
      const nameBytes = new TextEncoder().encode(name);
      const contents = [
        ...unsigned(count.value + 1),
        ...module.subarray(count.next, end),
        ...unsigned(nameBytes.length),
        ...nameBytes,
        GLOBAL_EXPORT,
        ...unsigned(index),
      ];
      const section = [EXPORT_SECTION, ...unsigned(contents.length), ...contents];
      const patched = new Uint8Array(module.length - (end - at) + section.length);
      patched.set(module.subarray(0, at));
      patched.set(section, at);
      patched.set(module.subarray(end), at + section.length);
      return patched;
    }
    at = end;
  }
  return module;
}

/** Reads a LEB128 number. */
function readUnsigned(bytes: Uint8Array, start: number): { value: number; next: number } {
  let value = 0;
  let shift = 0;
  let at = start;
  for (;;) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at };
    shift += 7;
  }
}

/** Writes a LEB128 number. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}
