import type { ValuePlan } from '../schema/plan';
import { Values } from './json/values';
import { Machine } from './machine';
import { Places } from './place';

/** A grammar, compiled: what it is followed by. */
export interface Grammar {
  readonly machine: Machine;
}

export function jsonGrammar(plan: ValuePlan): Grammar {
  const values = new Values(new Places());
  return { machine: new Machine(values.starts(plan)) };
}
