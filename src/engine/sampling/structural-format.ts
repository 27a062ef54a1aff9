import type { GrammarSpec } from '../../scheduler';

/** A grammar as a part of a structural tag. */
export function structuralFormat(spec: GrammarSpec): unknown {
  switch (spec.type) {
    case 'json':
      return { type: 'json_schema', json_schema: { type: ['object', 'array'] } };
    case 'json_schema':
      return { type: 'json_schema', json_schema: JSON.parse(spec.schema), path: spec.path };
    case 'regex':
      return { type: 'regex', pattern: spec.pattern, path: spec.path };
    case 'ebnf':
      return { type: 'grammar', grammar: spec.grammar };
    case 'structural_tag': {
      const tag: unknown = JSON.parse(spec.tag);
      return typeof tag === 'object' && tag !== null && 'format' in tag ? tag.format : tag;
    }
  }
}
