/**
 * A piece of a text that several prompts may hold: its tokens are numbered, and it is those from `from` on.
 * Two prompts share as many tokens as their passages have numbers in common at the beginning.
 */
export interface Passage {
  from: number;
  /** At least 1. */
  tokens: number;
}

/** A text of blocks of `blockTokens` tokens each: equal ids are equal blocks. */
export function passagesOf(ids: readonly number[], blockTokens: number): Passage[] {
  return ids.map((id) => ({ from: id * blockTokens, tokens: blockTokens }));
}

/** Tokens of the passages together. */
export function tokensIn(passages: readonly Passage[]): number {
  return passages.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** The first `tokens` tokens; all that there are, if those are fewer. */
export function firstTokens(passages: readonly Passage[], tokens: number): Passage[] {
  const first: Passage[] = [];
  let left = tokens;
  for (const passage of passages) {
    if (left <= 0) break;
    first.push(passage.tokens <= left ? passage : { ...passage, tokens: left });
    left -= passage.tokens;
  }
  return first;
}
