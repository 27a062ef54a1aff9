import type { Policy } from '../policy';

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
