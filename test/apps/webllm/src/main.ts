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

/** Longest that one check may take, ms. */
const LIMIT_MS = 60_000;

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

declare global {
  /** For the test that opened this page: what was wrong, a sentence each. */
  var trouble: Promise<string[]>;
}

async function runAll(): Promise<string[]> {
  const trouble: string[] = [];
  for (const [code, checks] of Object.entries(CODE)) {
    for (const [name, run] of Object.entries(checks)) {
      try {
        await Promise.race([run(), late()]);
      } catch (error) {
        trouble.push(`${code}: ${name}: ${error instanceof Error ? error.stack : error}`);
      }
    }
  }
  return trouble;
}

function late(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('no end')), LIMIT_MS));
}

globalThis.trouble = runAll();
