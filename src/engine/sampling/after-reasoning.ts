import type { GrammarSpec } from '../../scheduler';
import { structuralFormat } from './structural-format';

const SPACE = { type: 'regex', pattern: '[ \\n]*' };

/** The model thinks as it likes, to the end of the block that `begin` begins. */
const thoughts = (begin: string) => ({
  type: 'sequence',
  elements: [{ type: 'tag', begin, content: { type: 'any_text' }, end: '</think>' }, SPACE],
});

/** xgrammar 0.1.27 takes no empty string here, but an empty grammar. */
const NOTHING = { type: 'grammar', grammar: 'root ::= ""' };

/**
 * A grammar that holds from the end of the reasoning on. `open`: the prompt ends inside it, and
 * `</think>` has to come. Otherwise the answer may begin with `<think>`, or at once.
 */
export function afterReasoning(spec: GrammarSpec, { open } = { open: true }): GrammarSpec {
  const reasoning = open ? thoughts('') : { type: 'or', elements: [NOTHING, thoughts('<think>')] };
  const format = { type: 'sequence', elements: [reasoning, structuralFormat(spec)] };
  return { type: 'structural_tag', tag: JSON.stringify({ type: 'structural_tag', format }) };
}
