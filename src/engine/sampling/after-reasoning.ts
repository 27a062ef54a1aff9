import type { GrammarSpec } from '../../scheduler';
import { structuralFormat } from './structural-format';

/**
 * A grammar for a model whose prompt ends inside its reasoning: it thinks as it likes, and the
 * grammar holds from `</think>` on.
 */
export function afterReasoning(spec: GrammarSpec): GrammarSpec {
  const format = {
    type: 'sequence',
    elements: [
      { type: 'tag', begin: '', content: { type: 'any_text' }, end: '</think>' },
      { type: 'regex', pattern: '[ \\n]*' },
      structuralFormat(spec),
    ],
  };
  return { type: 'structural_tag', tag: JSON.stringify({ type: 'structural_tag', format }) };
}
