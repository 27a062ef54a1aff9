import type { Policy } from '../policy';
import type { PolicyAbout, PolicyEntry } from './entry';

export const entry: PolicyEntry = {
  name: 'webllm',
  make: webllm,
};

export const about: PolicyAbout = {
  origin: 'what a page gets today',
  line: 'One request at a time, in order of arrival.',
  order: 'one at a time, in order of arrival',
  words: {
    decodes: 'Has the engine to itself until it ends',
    reads: 'Has the engine to itself until it ends',
    waits: 'Waits until those before it have ended',
    pauses: 'Waits until those before it have ended',
  },
  source: 'web-llm, engine.ts, CustomLock',
};

/**
 * What a page gets from WebLLM today: one request at a time, first come first served. MLCEngine
 * takes a lock per model, and the next request waits until the one before has ended
 * (web-llm, engine.ts, CustomLock).
 */
export function webllm(): Policy {
  return {
    name: 'webllm',
    plan(view, builder) {
      const next = view.resident[0] ?? view.waiting[0];
      if (next !== undefined) builder.add(next, 'in-order');
    },
  };
}
