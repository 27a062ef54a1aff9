/** Rules of a grammar made fit to be followed from left to right, each to its end. */
import type { Pace } from '../pace';
import { BadGrammar } from './bad-grammar';
import { EMPTY, type Expression, NOTHING, type Rule } from './expression';

/** Leaves out, in place, what would never come to an end; a rule that never does becomes NOTHING. */
export async function leaveOutEndless(rules: readonly Rule[], pace: Pace): Promise<void> {
  const isEnding = (expression: Expression) =>
    expression.kind !== 'language' || !expression.dfa.isEmpty;
  const ending = await rulesThat(isEnding, rules, pace);
  const without = (expression: Expression): Expression => {
    switch (expression.kind) {
      case 'language':
        return isEnding(expression) ? expression : NOTHING;
      case 'rule':
        return ending.has(expression.rule) ? expression : NOTHING;
      case 'sequence': {
        const parts = expression.parts.map(without);
        return parts.includes(NOTHING) ? NOTHING : { ...expression, parts };
      }
      case 'choice': {
        const parts = expression.parts.map(without).filter((part) => part !== NOTHING);
        return parts.length === 0 ? NOTHING : { ...expression, parts };
      }
      case 'repeat': {
        const part = without(expression.part);
        if (part === NOTHING) return expression.min === 0 ? EMPTY : NOTHING;
        return { ...expression, part };
      }
      default:
        return expression;
    }
  };
  for (const rule of rules) {
    rule.body = without(rule.body);
    pace.spend(1);
    if (pace.due) await pace.rest();
  }
}

/**
 * Turns rules that begin with themselves round, in place: `a ::= a "x" | "y"` is `a ::= "y" "x"*`.
 * Throws BadGrammar where one begins with itself by way of others.
 */
export async function turnLeftRecursion(rules: readonly Rule[], pace: Pace): Promise<void> {
  for (const rule of rules) rule.body = turned(rule);
  const isEmpty = (expression: Expression) => {
    if (expression.kind === 'text') return expression.text === '';
    return expression.kind === 'language' && expression.dfa.accepting[expression.dfa.start] === 1;
  };
  const empty = await rulesThat(isEmpty, rules, pace);
  const mayBeEmpty = (expression: Expression): boolean =>
    holds(
      expression,
      isEmpty,
      (rule) => empty.has(rule),
      () => {},
    );
  const firsts = (expression: Expression, found: Rule[]): Rule[] => {
    pace.spend(1);
    if (expression.kind === 'rule') {
      found.push(expression.rule);
    } else if (expression.kind === 'choice') {
      for (const part of expression.parts) firsts(part, found);
    } else if (expression.kind === 'repeat') {
      if (expression.max > 0) firsts(expression.part, found);
    } else if (expression.kind === 'sequence') {
      for (const part of expression.parts) {
        firsts(part, found);
        if (!mayBeEmpty(part)) break;
      }
    }
    return found;
  };
  // Depth first; a rule that is met again on the way to itself begins with itself.
  const state = new Map<Rule, 'open' | 'done'>();
  for (const start of rules) {
    const way = state.has(start) ? [] : [{ rule: start, next: firsts(start.body, []) }];
    if (way.length > 0) state.set(start, 'open');
    while (way.length > 0) {
      const { rule, next } = way[way.length - 1];
      const first = next.pop();
      if (first === undefined) {
        state.set(rule, 'done');
        way.pop();
      } else if (state.get(first) === 'open') {
        throw new BadGrammar(
          `begins its rule "${first.name}" with itself, by way of "${rule.name}"; let it begin with something else`,
        );
      } else if (!state.has(first)) {
        state.set(first, 'open');
        way.push({ rule: first, next: firsts(first.body, []) });
      }
      if (pace.due) await pace.rest();
    }
  }
}

function turned(rule: Rule): Expression {
  const { body } = rule;
  const alternatives = body.kind === 'choice' ? body.parts : [body];
  const isSelf = (part: Expression | undefined) => part?.kind === 'rule' && part.rule === rule;
  const others: Expression[] = [];
  const tails: Expression[] = [];
  for (const one of alternatives) {
    if (isSelf(one)) continue; // it says nothing
    if (one.kind === 'sequence' && isSelf(one.parts[0])) {
      tails.push({ kind: 'sequence', parts: one.parts.slice(1) });
    } else {
      others.push(one);
    }
  }
  if (others.length === alternatives.length) return body;
  const tail: Expression = { kind: 'choice', parts: tails };
  const repeated: Expression = { kind: 'repeat', part: tail, min: 0, max: Infinity };
  return { kind: 'sequence', parts: [{ kind: 'choice', parts: others }, repeated] };
}

/**
 * The rules of which something holds: what holds of a sequence where it does of all its parts, of a
 * choice where it does of one. Rules that wait for another are looked at again once it is found.
 */
async function rulesThat(
  holdsOf: (expression: Expression) => boolean,
  rules: readonly Rule[],
  pace: Pace,
): Promise<ReadonlySet<Rule>> {
  const found = new Set<Rule>();
  const waiting = new Map<Rule, Set<Rule>>();
  const open = new Set(rules);
  for (const rule of open) {
    open.delete(rule);
    if (pace.due) await pace.rest();
    if (found.has(rule)) continue;
    const blockers: Rule[] = [];
    const isFound = holds(
      rule.body,
      holdsOf,
      (one) => found.has(one),
      (one) => {
        pace.spend(1);
        blockers.push(one);
      },
    );
    if (isFound) {
      found.add(rule);
      for (const one of waiting.get(rule) ?? []) open.add(one);
      continue;
    }
    for (const blocker of blockers) {
      const list = waiting.get(blocker) ?? new Set();
      waiting.set(blocker, list.add(rule));
    }
  }
  return found;
}

function holds(
  expression: Expression,
  holdsOf: (expression: Expression) => boolean,
  isFound: (rule: Rule) => boolean,
  block: (rule: Rule) => void,
): boolean {
  switch (expression.kind) {
    case 'rule':
      if (isFound(expression.rule)) return true;
      block(expression.rule);
      return false;
    case 'sequence':
      return expression.parts.every((part) => holds(part, holdsOf, isFound, block));
    case 'choice':
      return expression.parts.some((part) => holds(part, holdsOf, isFound, block));
    case 'repeat':
      return expression.min === 0 || holds(expression.part, holdsOf, isFound, block);
    default:
      return holdsOf(expression);
  }
}
