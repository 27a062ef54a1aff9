import type { Call } from './workload';

/**
 * Token ids for a call's prompt and `generated` output tokens: the ids of its prefix blocks spelt out,
 * then a tail that no other call shares. `number` is the call's own.
 */
export function promptIds(call: Call, number: number, generated = 0): Int32Array {
  const ids = new Int32Array(call.promptTokens + generated);
  let at = 0;
  if (call.prefix !== undefined) {
    const { ids: blocks, blockTokens } = call.prefix;
    for (const block of blocks) {
      // One token is left to the tail, or equal prefixes would be equal prompts.
      for (let i = 0; i < blockTokens && at < call.promptTokens - 1; i++) {
        ids[at++] = 1 + 2 * (block * blockTokens + i);
      }
    }
  }
  const tail = 2 + 2 * number;
  ids.fill(tail, at, call.promptTokens);
  ids.fill(OUTPUT_TOKEN, call.promptTokens);
  return ids;
}

/** What the simulated engine says when nothing else is asked of it. */
const OUTPUT_TOKEN = 1;
