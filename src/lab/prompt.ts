import type { Call } from './workload';

/**
 * Token ids for a call's prompt and `generated` output tokens: its passages spelt out, then a tail that
 * no other call shares, then what it has said. `number` is the call's own.
 */
export function promptIds(call: Call, number: number, generated = 0): Int32Array {
  const ids = new Int32Array(call.promptTokens + generated);
  let at = 0;
  for (const { from, tokens } of call.prefix ?? []) {
    for (let i = 0; i < tokens && at < call.promptTokens; i++) ids[at++] = tokenAt(from + i);
  }
  const tail = 2 + 2 * number;
  ids.fill(tail, at, call.promptTokens);
  const { answerFrom } = call;
  if (answerFrom === undefined) ids.fill(OUTPUT_TOKEN, call.promptTokens);
  for (let i = 0; answerFrom !== undefined && i < generated; i++) {
    ids[call.promptTokens + i] = tokenAt(answerFrom + i);
  }
  return ids;
}

/** Token ids of a call's whole answer; undefined where nobody goes on from it, and any will do. */
export function answerIds({ answerFrom, outputTokens }: Call): number[] | undefined {
  if (answerFrom === undefined) return undefined;
  return Array.from({ length: outputTokens }, (_, i) => tokenAt(answerFrom + i));
}

/** The token with this number in the texts that are shared. Odd, and so never a tail. */
function tokenAt(number: number): number {
  return 1 + 2 * number;
}

/** What the simulated engine says when nothing else is asked of it. */
const OUTPUT_TOKEN = 1;
