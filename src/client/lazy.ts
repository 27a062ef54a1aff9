/** An object with any method there may be, each of which calls `call`; they need no `this`. */
export function methods<T extends object>(
  call: (name: string, args: unknown[]) => Promise<unknown>,
): T {
  return new Proxy({} as T, {
    // It is no promise, though its methods return some.
    get: (_, name) =>
      name === 'then' ? undefined : (...args: unknown[]) => call(String(name), args),
  });
}

/** The asynchronous methods of something that is loaded when the first of them is called. */
export function lazy<T extends object>(load: () => Promise<T>): T {
  return methods(async (name, args) => {
    const loaded = (await load()) as Record<string, (...args: unknown[]) => unknown>;
    return loaded[name](...args);
  });
}
