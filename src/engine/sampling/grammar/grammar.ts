import type { GrammarSpec } from '../../../scheduler';
import { Pace } from '../pace';
import { invalid } from '../schema/invalid-schema';
import { planOf } from '../schema/planner';
import type { Expression } from './expression';
import { Expressions } from './expression-place';
import { Values } from './json/values';
import { Machine } from './machine';
import { END, Places } from './place';
import { readGrammar, readPattern, readStructuralTag } from './structural-tag';

/** Work that one grammar may take: about a second's. */
const MAX_WORK = 1_000_000;

/** What `response_format: { type: 'json_object' }` asks for; WebLLM takes arrays, too. */
const ANY_JSON = { type: ['object', 'array'] };

/**
 * Compiles a grammar, in slices, for any vocabulary. Throws invalid_schema with the path of what is
 * wrong or too large, and the signal's reason where the caller has gone.
 */
export async function compileGrammar(spec: GrammarSpec, signal?: AbortSignal): Promise<Machine> {
  const pace = new Pace(MAX_WORK, signal);
  await pace.rest(); // many may begin at once
  const expression = await read(spec, pace);
  const places = new Places();
  const expressions = new Expressions(places, new Values(places));
  const machine = new Machine([expressions.at(expression, END)]);
  if (machine.start.threads.length === 0 && !machine.start.accepts)
    invalid('grammar', 'allows no text');
  return machine;
}

async function read(spec: GrammarSpec, pace: Pace): Promise<Expression> {
  switch (spec.type) {
    case 'json':
      return { kind: 'value', plan: await planOf(ANY_JSON, 'schema', pace) };
    case 'json_schema': {
      const plan = await planOf(parsed(spec.schema, 'schema'), spec.path ?? 'schema', pace);
      return { kind: 'value', plan };
    }
    case 'regex':
      return readPattern(spec.pattern, spec.path ?? 'pattern', pace);
    case 'ebnf':
      return readGrammar(spec.grammar, 'grammar', pace);
    case 'structural_tag':
      return readStructuralTag(parsed(spec.tag, 'structural_tag'), 'structural_tag', pace);
  }
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return invalid(path, 'is not valid JSON', cause);
  }
}
