import { TooComplex } from '../language/too-complex';
import type { Pace } from '../pace';
import { type Alternative, Alternatives, type Choice } from './alternatives';
import type { Place, SchemaDocument } from './document';
import { invalid } from './invalid-schema';
import { says } from './keywords';
import {
  ALWAYS,
  ANY_VALUE,
  ARRAY,
  bothRules,
  type Evaluated,
  hasLiteral,
  isNegative,
  type Literal,
  NEVER,
  NOTHING_EVALUATED,
  negated,
  OBJECT,
  type ObjectRules,
  placeIdOf,
  type Rules,
  STRING,
} from './rules';
import { literalOf, Statements } from './statements';
import { hasText, type Texts } from './texts';

/** What a value at some place of a document satisfies: all of some literals. */
export interface Node {
  readonly id: number;
  /** Ascending, each once. */
  readonly literals: readonly Literal[];
}

/** Ways to satisfy a node: beyond that it takes too long to try them all. */
const MAX_ALTERNATIVES = 1024;
/** Nodes within nodes that are looked into to find out whether one can be satisfied at all. */
const LOOK_DEPTH = 2;
/** Schemas of `anyOf` of which each combination counts for itself (beside `unevaluated…`). */
const MAX_CUMULATIVE = 6;

/** The schemas on the way from a node's own to one that holds at the same place. */
interface Way {
  readonly literal: Literal;
  readonly from: Way | undefined;
}

/** What has been worked into rules already. */
interface Progress {
  readonly done: ReadonlySet<Literal>;
  readonly way: Way | undefined;
  /** Whether it matters what has been looked at: for `unevaluated…`, and not where it is negated. */
  readonly tracked: boolean;
}

/**
 * The nodes of a document, and the rules that each comes to: a choice of rules without any choice
 * in them. References are followed, `allOf` is merged, `anyOf` and its like are multiplied out, what
 * contradicts itself is left out.
 */
export class Nodes {
  readonly pace: Pace;
  readonly statements: Statements;
  readonly #document: SchemaDocument;
  readonly #alternatives: Alternatives;
  readonly #nodes = new Map<string, Node>();
  readonly #rules = new Map<Node, readonly Rules[]>();
  readonly #underWay = new Set<Node>();

  constructor(document: SchemaDocument, pace: Pace) {
    this.#document = document;
    this.pace = pace;
    this.statements = new Statements(document, pace);
    this.#alternatives = new Alternatives(document, this.statements, pace);
  }

  get root(): Node {
    return this.node([literalOf(this.#document.root)]);
  }

  node(literals: Iterable<Literal>): Node {
    const sorted = [...new Set(literals)].filter((one) => one !== ALWAYS).sort((a, b) => a - b);
    const key = sorted.join();
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const node = { id: this.#nodes.size, literals: sorted };
    this.#nodes.set(key, node);
    return node;
  }

  /** Where a node is in the document, for errors. */
  pathOf({ literals }: Node): string {
    const [first = 0] = literals;
    return first <= NEVER ? 'the schema' : this.#document.place(placeIdOf(first)).path;
  }

  /** A node's rules: a value satisfies it where it satisfies any of them. Throws invalid_schema. */
  async rulesOf(node: Node): Promise<readonly Rules[]> {
    return this.#expand(node, 0);
  }

  /** What a property of a name satisfies. */
  property(rules: ObjectRules, name: string): Node {
    const literals = new Set(rules.properties.get(name));
    for (const { pattern, literals: more } of rules.patterns) {
      if (hasText(pattern.texts, name)) for (const one of more) literals.add(one);
    }
    for (const { names, patterns, literals: more } of rules.others) {
      if (names.has(name) || patterns.some(({ texts }) => hasText(texts, name))) continue;
      for (const one of more) literals.add(one);
    }
    return this.node(literals);
  }

  /** What the item at an index satisfies. */
  item({ prefix, rest }: Rules['array'], index: number): Node {
    const literals = new Set(prefix[index]);
    for (const { from, literals: more } of rest) {
      if (index >= from) for (const one of more) literals.add(one);
    }
    return this.node(literals);
  }

  /** The strings that satisfy a node. */
  async textsOf(node: Node): Promise<Texts[]> {
    const rules = await this.rulesOf(node);
    return rules.flatMap(({ types, texts }) => (types & STRING ? [texts] : []));
  }

  /** Whether nothing satisfies a node, as far as can be seen at `depth`. */
  async #isImpossible(node: Node, depth: number): Promise<boolean> {
    const { literals } = node;
    if (literals.includes(NEVER)) return true;
    if (literals.some((one) => hasLiteral(literals, negated(one)))) return true;
    const known = this.#rules.get(node);
    if (known !== undefined) return known.length === 0;
    if (this.#underWay.has(node) || depth >= LOOK_DEPTH) return false;
    // What each literal says for itself is often enough.
    let rules: Rules | undefined = ANY_VALUE;
    for (const literal of literals) {
      if (isNegative(literal) || rules === undefined) continue;
      const said = await this.statements.of(this.#place(literal));
      rules = said && (await bothRules(rules, said, this.pace));
    }
    if (rules === undefined) return true;
    try {
      return (await this.#expand(node, depth + 1)).length === 0;
    } catch (error) {
      if (error instanceof TooComplex) throw error;
      return false; // what is wrong with it is said where it is needed
    }
  }

  async #expand(node: Node, depth: number): Promise<readonly Rules[]> {
    const known = this.#rules.get(node);
    if (known !== undefined) return known;
    this.#underWay.add(node);
    try {
      const progress = { done: new Set<Literal>(), way: undefined, tracked: false };
      const rules = await this.#apply([ANY_VALUE], node.literals, progress, depth);
      const possible = await this.#possible(rules, depth);
      this.#rules.set(node, possible);
      return possible;
    } finally {
      this.#underWay.delete(node);
    }
  }

  /** Each of `rules`, with all the literals. */
  async #apply(
    rules: readonly Rules[],
    literals: readonly Literal[],
    progress: Progress,
    depth: number,
  ): Promise<readonly Rules[]> {
    const done = new Set(progress.done);
    const open: Way[] = literals.map((literal) => ({ literal, from: progress.way }));
    const choices: { choice: Choice; way: Way }[] = [];
    let all = rules;
    for (let i = 0; i < open.length && all.length > 0; i++) {
      const way = open[i];
      const { literal } = way;
      this.pace.spend(1);
      if (this.pace.due) await this.pace.rest();
      if (literal === NEVER || done.has(negated(literal))) return [];
      if (literal === ALWAYS) continue;
      this.#refuseCircle(way);
      if (done.has(literal)) continue;
      done.add(literal);
      const place = this.#place(literal);
      if (isNegative(literal)) {
        const alternatives = await this.#alternatives.negations(place);
        choices.push({ choice: { path: place.path, alternatives }, way });
        continue;
      }
      const seen = (one: Rules) => (progress.tracked ? one : unseen(one));
      if (this.#looksBack(place)) {
        // What it has looked at is its own affair.
        all = await this.#product(all, (await this.#looked(place, way, depth)).map(seen));
        continue;
      }
      const said = await this.statements.of(place);
      all = await this.#with(all, said && seen(said));
      // Next, so that properties come in the order in which the schema leads to them.
      const besides = this.#alternatives.besides(place);
      open.splice(i + 1, 0, ...besides.map((more) => ({ literal: more, from: way })));
      for (const choice of this.#alternatives.choices(place, progress.tracked)) {
        choices.push({ choice, way });
      }
    }
    for (const { choice, way } of choices) {
      if (all.length === 0) return all;
      if (this.pace.due) await this.pace.rest();
      const tracked = progress.tracked && !isNegative(way.literal);
      all = await this.#choose(all, choice, { done, way, tracked }, depth);
      if (all.length > MAX_ALTERNATIVES) {
        invalid(choice.path, `leaves more than ${MAX_ALTERNATIVES} combinations to try`);
      }
    }
    return all;
  }

  async #choose(
    rules: readonly Rules[],
    choice: Choice,
    progress: Progress,
    depth: number,
  ): Promise<readonly Rules[]> {
    const alternatives =
      choice.cumulative && progress.tracked ? combinations(choice) : choice.alternatives;
    const ways: (readonly Rules[])[] = [];
    for (const { rules: more, literals } of alternatives) {
      const start = more === undefined ? rules : await this.#with(rules, more);
      const applied = await this.#apply(start, literals, progress, depth);
      ways.push(await this.#possible(applied, depth));
      this.pace.spend(1);
      if (this.pace.due) await this.pace.rest();
    }
    if (!choice.exclusive) return ways.flat();
    return (await this.#exclusive(ways, choice, progress, depth)).flat();
  }

  /** Of each way what is in none of the others. */
  async #exclusive(
    ways: readonly (readonly Rules[])[],
    { alternatives, path }: Choice,
    progress: Progress,
    depth: number,
  ): Promise<(readonly Rules[])[]> {
    const exclusive = [...ways];
    for (let i = 0; i < ways.length; i++) {
      for (let j = i + 1; j < ways.length; j++) {
        if (this.pace.due) await this.pace.rest();
        if (!(await this.#overlap(ways[i], ways[j], depth))) continue;
        for (const [one, other] of [
          [i, j],
          [j, i],
        ]) {
          const literals = alternatives[other].literals.map(negated);
          try {
            const rest = await this.#apply(exclusive[one], literals, progress, depth);
            exclusive[one] = await this.#possible(rest, depth);
          } catch (error) {
            if (error instanceof TooComplex) throw error;
            const reason = error instanceof Error ? error.message : String(error);
            invalid(
              `${path}[${one}]`,
              `may hold together with [${other}], and they cannot be told apart: ${reason}`,
              error,
            );
          }
        }
      }
    }
    return exclusive;
  }

  /** Whether a value may satisfy one of `a` and one of `b`, as far as can be seen. */
  async #overlap(a: readonly Rules[], b: readonly Rules[], depth: number): Promise<boolean> {
    for (const one of a) {
      for (const other of b) {
        const both = await bothRules(one, other, this.pace);
        if (both !== undefined && (await this.#typesLeft(both, depth)) !== 0) return true;
      }
    }
    return false;
  }

  /** The rules that can be satisfied, without the types whose values cannot satisfy them. */
  async #possible(rules: readonly Rules[], depth: number): Promise<readonly Rules[]> {
    const possible: Rules[] = [];
    for (const one of rules) {
      const types = await this.#typesLeft(one, depth);
      if (types !== 0) possible.push(types === one.types ? one : { ...one, types });
    }
    return possible;
  }

  async #typesLeft({ types, array, object }: Rules, depth: number): Promise<number> {
    let left = types;
    if (left & ARRAY && (await this.#isImpossibleArray(array, depth))) left &= ~ARRAY;
    if (left & OBJECT && (await this.#isImpossibleObject(object, depth))) left &= ~OBJECT;
    return left;
  }

  async #isImpossibleArray(array: Rules['array'], depth: number): Promise<boolean> {
    const needed = Math.min(array.min, array.prefix.length + 1);
    for (let i = 0; i < needed; i++) {
      this.pace.spend(1);
      if (await this.#isImpossible(this.item(array, i), depth)) return true;
    }
    return array.counts.some(({ min, max }) => min > max || min > array.max);
  }

  async #isImpossibleObject(object: ObjectRules, depth: number): Promise<boolean> {
    for (const name of object.required) {
      this.pace.spend(1);
      if (await this.#isImpossible(this.property(object, name), depth)) return true;
    }
    return false;
  }

  async #with(rules: readonly Rules[], more: Rules | undefined): Promise<readonly Rules[]> {
    if (more === ANY_VALUE) return rules;
    return more === undefined ? [] : this.#product(rules, [more]);
  }

  async #product(rules: readonly Rules[], more: readonly Rules[]): Promise<readonly Rules[]> {
    const product: Rules[] = [];
    for (const one of rules) {
      for (const other of more) {
        const both = await bothRules(one, other, this.pace);
        if (both !== undefined) product.push(both);
      }
      if (this.pace.due) await this.pace.rest();
    }
    return product;
  }

  /** Whether a schema says something of what its other keywords have not looked at. */
  #looksBack(place: Place): boolean {
    return says(place, 'unevaluatedProperties') || says(place, 'unevaluatedItems');
  }

  /** The rules of a schema with `unevaluatedProperties` or `unevaluatedItems`. */
  async #looked(place: Place, way: Way, depth: number): Promise<readonly Rules[]> {
    const open = [ANY_VALUE];
    let all: readonly Rules[] = await this.#with(open, await this.statements.of(place));
    const progress = { done: new Set<Literal>(), way, tracked: true };
    all = await this.#apply(all, this.#alternatives.besides(place), progress, depth);
    for (const choice of this.#alternatives.choices(place, true)) {
      all = await this.#choose(all, choice, progress, depth);
    }
    const looked: Rules[] = [];
    for (const rules of all) {
      looked.push({
        ...rules,
        array: this.#restOfItems(place, rules.array),
        object: this.#restOfProperties(place, rules.object),
      });
    }
    return looked;
  }

  #restOfProperties(place: Place, object: ObjectRules): ObjectRules {
    if (!says(place, 'unevaluatedProperties')) return object;
    const evaluated: Evaluated = { ...NOTHING_EVALUATED, all: true };
    if (object.evaluated.all) return { ...object, evaluated };
    const { names, patterns } = object.evaluated;
    const literals = [this.statements.literal(place, 'unevaluatedProperties')];
    return { ...object, evaluated, others: [...object.others, { names, patterns, literals }] };
  }

  #restOfItems(place: Place, array: Rules['array']): Rules['array'] {
    if (!says(place, 'unevaluatedItems')) return array;
    const from = array.evaluated;
    if (from === Infinity) return array;
    if (array.contains) {
      // Some validators count an item as looked at where it is one of those, others do not.
      invalid(
        `${place.path}.unevaluatedItems`,
        'stands beside contains, which output cannot be held to; say by items what they are',
      );
    }
    const literal = this.statements.literal(place, 'unevaluatedItems');
    const max = literal === NEVER ? Math.min(array.max, from) : array.max;
    const rest = [...array.rest, { from, literals: [literal] }];
    return { ...array, max, evaluated: Infinity, contains: false, rest };
  }

  #refuseCircle({ literal, from }: Way): void {
    for (let way = from; way !== undefined; way = way.from) {
      if (way.literal === literal) {
        invalid(this.#place(literal).path, 'refers to itself with nothing in between');
      }
    }
  }

  #place(literal: Literal): Place {
    return this.#document.place(placeIdOf(literal));
  }
}

/** The same rules, with nothing looked at. */
function unseen(rules: Rules): Rules {
  const { array, object } = rules;
  const isUnseen = array.evaluated === 0 && !array.contains;
  if (isUnseen && object.evaluated === NOTHING_EVALUATED) return rules;
  return {
    ...rules,
    array: { ...array, evaluated: 0, contains: false },
    object: { ...object, evaluated: NOTHING_EVALUATED },
  };
}

/** Every combination of a choice's alternatives that hold together. */
function combinations({ alternatives, path }: Choice): Alternative[] {
  if (alternatives.length > MAX_CUMULATIVE) {
    return invalid(
      path,
      `has more than ${MAX_CUMULATIVE} schemas beside unevaluatedProperties or unevaluatedItems`,
    );
  }
  const found: Alternative[] = [];
  for (let bits = 1; bits < 1 << alternatives.length; bits++) {
    const members = alternatives.filter((_, i) => bits & (1 << i));
    found.push({ literals: members.flatMap(({ literals }) => literals) });
  }
  return found;
}
