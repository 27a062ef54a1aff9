/**
 * Libraries of v0_2_80 import two functions of TVM's thread pool that never run in a browser. Their
 * time's runtimes had them as stubs that abort; 0.2.86's leaves them out.
 */
export function linkLeniently(): string[] {
  const made: string[] = [];
  const instantiate = WebAssembly.instantiate.bind(WebAssembly) as (
    module: WebAssembly.Module,
    imports: WebAssembly.Imports,
  ) => Promise<WebAssembly.Instance>;
  const lenient = async (source: BufferSource | WebAssembly.Module, given: WebAssembly.Imports) => {
    const module =
      source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    const imports = { ...given };
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      if (kind !== 'function' || typeof imports[from]?.[name] === 'function') continue;
      if (!/threading/.test(name)) continue;
      made.push(name);
      imports[from] = {
        ...imports[from],
        [name]: () => {
          throw new Error(`${name} is not there.`);
        },
      };
    }
    const instance = await instantiate(module, imports);
    return source instanceof WebAssembly.Module ? instance : { module, instance };
  };
  Object.assign(WebAssembly, { instantiate: lenient });
  return made;
}
