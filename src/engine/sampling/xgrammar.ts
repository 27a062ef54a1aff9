/**
 * @mlc-ai/web-xgrammar 0.1.27, loaded so that it works in a page, a worker and Node, and so that a
 * grammar it cannot compile harms nobody.
 *
 * - It is a UMD file in a package marked as a module: some loaders return its exports, others leave
 *   them on `globalThis.xgrammar`. In Node it wants `location`, which it gets while it starts.
 * - What it cannot compile makes its wasm abort: the message goes to the console only, and the stack
 *   that was in use is never given back (64 KiB in all: a few dozen bad schemas and every matcher in
 *   the page is broken). So its console is redirected to here, and its binary gets one more export,
 *   the stack pointer, which `attempt` puts back where it is while no wasm runs.
 */
import type * as XGrammar from '@mlc-ai/web-xgrammar';
import { withExportedGlobal } from './wasm-export';

export type XGrammarLibrary = typeof XGrammar;

const STACK_POINTER = 'tempo_stack_pointer';
/** xgrammar's only import module, in the minified build. */
const IMPORT_MODULE = 'a';

export interface LoadedXGrammar {
  library: XGrammarLibrary;
  /**
   * Runs calls that xgrammar may reject, one after another. Where they fail the library is as it was
   * before, and an Error with its own words is thrown.
   */
  attempt<T>(calls: () => Promise<T>): Promise<T>;
  /**
   * To be called where any other call has failed: gives back the stack that was in use, so that
   * later calls are unharmed. Returns an Error with xgrammar's own words.
   */
  recover(thrown: unknown): Error;
}

let loading: Promise<LoadedXGrammar> | undefined;

/** The library, started. It is started once. */
export function loadXGrammar(): Promise<LoadedXGrammar> {
  loading ??= start().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(): Promise<LoadedXGrammar> {
  const console = redirectConsole();
  const wasm = watchInstantiation();
  const location = provideLocation();
  try {
    const library = findExports(await import('@mlc-ai/web-xgrammar'));
    // The first call of any kind starts the wasm.
    (await library.Grammar.builtinJSONGrammar()).dispose();
    const pointer = wasm.stackPointer();
    const idle = pointer?.value;

    // While JavaScript runs, no wasm does: whatever is on its stack then was left there.
    const recover = (thrown: unknown, words: string | undefined) => {
      if (pointer !== undefined) pointer.value = idle;
      return new Error(words ?? (thrown instanceof Error ? thrown.message : String(thrown)), {
        cause: thrown,
      });
    };
    let last: Promise<unknown> = Promise.resolve();
    const attempt = async <T>(calls: () => Promise<T>): Promise<T> => {
      await last.catch(() => {});
      const messages = console.collect();
      try {
        return await calls();
      } catch (thrown) {
        throw recover(thrown, wordsOf(messages));
      } finally {
        console.drop();
      }
    };
    return {
      library,
      recover: (thrown) => recover(thrown, console.takeFatal()),
      attempt(calls) {
        const result = attempt(calls);
        last = result;
        return result;
      },
    };
  } finally {
    console.restore();
    wasm.restore();
    location.restore();
  }
}

function isLibrary(value: unknown): value is XGrammarLibrary {
  return typeof value === 'object' && value !== null && 'GrammarCompiler' in value;
}

function findExports(imported: object): XGrammarLibrary {
  const candidates = [
    imported,
    'default' in imported ? imported.default : undefined,
    Reflect.get(globalThis, 'xgrammar'),
  ];
  const library = candidates.find(isLibrary);
  if (library === undefined) throw new Error('@mlc-ai/web-xgrammar has no exports.');
  return library;
}

/** The last `[FATAL] file:line: words`, without its origin. */
function wordsOf(messages: readonly string[]): string | undefined {
  const fatal = messages.findLast((message) => message.startsWith('[FATAL]'));
  return fatal?.replace(/^\[FATAL\] \S+?:\d+: (Check failed: \(.*?\) is false: )?/s, '');
}

/**
 * xgrammar binds console.log and console.error when it starts. Until `restore` everyone's messages
 * pass; afterwards only xgrammar's still come here.
 */
function redirectConsole() {
  const { log, error } = console;
  let starting = true;
  let messages: string[] | undefined;
  let fatal: string | undefined;
  const redirect =
    (original: (...data: unknown[]) => void) =>
    (...data: unknown[]) => {
      const words = data.join(' ');
      if (starting) original(...data);
      else if (messages !== undefined) messages.push(words);
      else if (words.startsWith('[FATAL]')) fatal = words;
    };
  console.log = redirect(log);
  console.error = redirect(error);
  return {
    collect(): readonly string[] {
      messages = [];
      return messages;
    },
    drop(): void {
      messages = undefined;
    },
    /** What it last failed of while nobody collected, once. */
    takeFatal(): string | undefined {
      const words = fatal === undefined ? undefined : wordsOf([fatal]);
      fatal = undefined;
      return words;
    },
    restore(): void {
      starting = false;
      console.log = log;
      console.error = error;
    },
  };
}

/** Node has no `location`; xgrammar makes a file name of it, to load Node's own modules from. */
function provideLocation() {
  if (typeof location !== 'undefined' || typeof document !== 'undefined') return { restore() {} };
  Reflect.set(globalThis, 'location', { href: 'file:///xgrammar.js' });
  return {
    restore(): void {
      Reflect.deleteProperty(globalThis, 'location');
    },
  };
}

/** Sees xgrammar's wasm being instantiated, and has it export its stack pointer. */
function watchInstantiation() {
  const { instantiate } = WebAssembly;
  let pointer: WebAssembly.Global | undefined;
  Reflect.set(
    WebAssembly,
    'instantiate',
    async (source: unknown, imports: WebAssembly.Imports = {}) => {
      const isXGrammar =
        source instanceof Uint8Array && Object.keys(imports).join() === IMPORT_MODULE;
      const binary = isXGrammar ? withExportedGlobal(source, STACK_POINTER, 0) : source;
      const result = await Reflect.apply(instantiate, WebAssembly, [binary, imports]);
      const exported = isXGrammar ? result.instance.exports[STACK_POINTER] : undefined;
      if (exported instanceof WebAssembly.Global) pointer = exported;
      return result;
    },
  );
  return {
    stackPointer: () => pointer,
    restore(): void {
      Reflect.set(WebAssembly, 'instantiate', instantiate);
    },
  };
}
