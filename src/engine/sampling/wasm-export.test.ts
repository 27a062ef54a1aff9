import { describe, expect, it } from 'vitest';
import { withExportedGlobal } from './wasm-export';

/** (module (global (mut i32) (i32.const 7)) (func (export "f"))) */
const MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // types
  ...[0x03, 0x02, 0x01, 0x00], // functions
  ...[0x06, 0x06, 0x01, 0x7f, 0x01, 0x41, 0x07, 0x0b], // globals
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00], // exports
  ...[0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b], // code
]);

describe('a WebAssembly module', () => {
  it('exports one global more, and what it did before', async () => {
    const { instance } = await WebAssembly.instantiate(withExportedGlobal(MODULE, 'g', 0));
    const { f, g } = instance.exports;
    expect(f).toBeTypeOf('function');
    if (!(g instanceof WebAssembly.Global)) throw new Error('The global is not exported.');
    expect(g.value).toBe(7);
    g.value = 9;
    expect(g.value).toBe(9);
  });

  it('keeps to the format with names of any length', () => {
    const name = 'x'.repeat(300);
    const module = new WebAssembly.Module(withExportedGlobal(MODULE, name, 0));
    expect(WebAssembly.Module.exports(module).map((one) => one.name)).toEqual(['f', name]);
  });

  it('without exports stays as it is', () => {
    const bare = MODULE.slice(0, 18);
    expect([...withExportedGlobal(bare, 'g', 0)]).toEqual([...bare]);
  });
});
