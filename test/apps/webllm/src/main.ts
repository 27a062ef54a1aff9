/** A page on which code for WebLLM runs as it is, on Tempo. */
import { aiSdk } from './browser-ai';
import type { Checks } from './check';
import { cache } from './examples/cache';
import { chat } from './examples/chat';
import { resumable } from './examples/resumable';
import { structured } from './examples/structured';
import { texts } from './examples/texts';
import { refused } from './refused';
import { workers } from './workers';

const CODE: Record<string, Checks> = {
  chat,
  structured,
  texts,
  cache,
  resumable,
  workers,
  refused,
  'AI SDK': aiSdk,
};

const checks = Object.fromEntries(
  Object.entries(CODE).flatMap(([code, own]) =>
    Object.entries(own).map(([name, run]) => [`${code}: ${name}`, run] as const),
  ),
);

declare global {
  /** For the script that runs them. */
  var webllmChecks: { names: string[]; run(name: string): Promise<void> };
}

globalThis.webllmChecks = {
  names: Object.keys(checks),
  run: (name) => checks[name](),
};
