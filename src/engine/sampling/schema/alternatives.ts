import type { Pace } from '../pace';
import { isRecord, type Place, type SchemaDocument } from './document';
import { invalid } from './invalid-schema';
import { countOf, keysOf, listOf, namesOf, says } from './keywords';
import { ALL_NUMBERS, complementNumbers, type Numbers } from './numbers';
import {
  ALL_TYPES,
  ALWAYS,
  ANY_ARRAY,
  ANY_OBJECT,
  ANY_VALUE,
  ARRAY,
  type ArrayRules,
  type Count,
  FALSE,
  type Literal,
  NEVER,
  NULL,
  NUMBER,
  negated,
  OBJECT,
  type ObjectRules,
  type Rules,
  type Some,
  STRING,
  TRUE,
} from './rules';
import { literalOf, numbersOf, parted, type Statements, scalarRules, typesOf } from './statements';
import { allBut, complementTexts } from './texts';

/** One way to satisfy something: by these rules and all of these literals. */
export interface Alternative {
  readonly rules?: Rules;
  readonly literals: readonly Literal[];
}

/** A keyword that gives a choice. */
export interface Choice {
  readonly path: string;
  readonly alternatives: readonly Alternative[];
  /** Exactly one of them is to hold (`oneOf`). */
  readonly exclusive?: boolean;
  /** Several that hold together are more than each alone: each has looked at other parts. */
  readonly cumulative?: boolean;
}

const arrays = (array: Partial<ArrayRules>): Rules => ({
  ...ANY_VALUE,
  types: ARRAY,
  array: { ...ANY_ARRAY, ...array },
});
const objects = (object: Partial<ObjectRules>, types = OBJECT): Rules => ({
  ...ANY_VALUE,
  types,
  object: { ...ANY_OBJECT, ...object },
});
const properties = (name: string, literal: Literal) => new Map([[name, [literal]]]);
/** Whatever it is, it has no such property. */
const without = (name: string, types = ALL_TYPES): Rules =>
  objects({ properties: properties(name, NEVER) }, types);

/** What the keywords of a schema that give a choice, or hold besides it, come to. */
export class Alternatives {
  readonly #document: SchemaDocument;
  readonly #statements: Statements;
  readonly #pace: Pace;

  constructor(document: SchemaDocument, statements: Statements, pace: Pace) {
    this.#document = document;
    this.#statements = statements;
    this.#pace = pace;
  }

  /** Literals that hold besides what the schema itself says: `allOf` and references. */
  besides(place: Place): Literal[] {
    return [...this.#parts(place, 'allOf'), ...this.#references(place)];
  }

  /** The choices of a schema; `tracked`: it matters what they have looked at. */
  choices(place: Place, tracked: boolean): Choice[] {
    const choices: Choice[] = [];
    const choose = (
      keyword: string,
      alternatives: readonly Alternative[],
      more?: Partial<Choice>,
    ) => choices.push({ path: `${place.path}.${keyword}`, alternatives, ...more });
    if (says(place, 'not')) {
      choose('not', [{ literals: [negated(this.#statements.literal(place, 'not'))] }]);
    }
    if (says(place, 'enum')) {
      const { scalars, structures } = parted(listOf(place, 'enum'));
      if (structures.length > 0) {
        const rules = scalars.length > 0 ? [{ rules: scalarRules(scalars), literals: [] }] : [];
        choose('enum', [
          ...rules,
          ...structures.map((i) => ({ literals: [this.#member(place, i)] })),
        ]);
      }
    }
    for (const { keyword, name, needs } of this.#dependents(place)) {
      const needed =
        typeof needs === 'number'
          ? { rules: objects({ required: new Set([name]) }), literals: [needs] }
          : { rules: objects({ required: new Set([name, ...needs]) }), literals: [] };
      choose(`${keyword}.${name}`, [{ rules: without(name), literals: [] }, needed]);
    }
    if (says(place, 'if') && (says(place, 'then') || says(place, 'else'))) {
      const [test, then, otherwise] = this.#branches(place);
      choose('if', [{ literals: [test, then] }, { literals: [negated(test), otherwise] }]);
    }
    if (tracked && says(place, 'if') && !says(place, 'then') && !says(place, 'else')) {
      // Some validators look at it all the same, others do not.
      invalid(`${place.path}.if`, 'has neither then nor else; add one, or leave it out');
    }
    for (const keyword of ['anyOf', 'oneOf']) {
      if (!says(place, keyword)) continue;
      const alternatives = this.#parts(place, keyword).map((literal) => ({ literals: [literal] }));
      choose(keyword, alternatives, {
        exclusive: keyword === 'oneOf',
        cumulative: keyword === 'anyOf',
      });
    }
    return choices;
  }

  /** The ways in which a schema does not hold. */
  async negations(place: Place): Promise<Alternative[]> {
    const found: Alternative[] = [];
    for (const rules of await this.#scalarNegations(place)) found.push({ rules, literals: [] });
    if (says(place, 'const')) found.push(this.#unequal(place, [place.schema.const]));
    if (says(place, 'enum')) found.push(this.#unequal(place, listOf(place, 'enum')));
    for (const rules of [...this.#arrayNegations(place), ...(await this.#objectNegations(place))]) {
      found.push({ rules, literals: [] });
    }
    for (const literal of this.besides(place)) found.push({ literals: [negated(literal)] });
    found.push(...this.#choiceNegations(place));
    return found;
  }

  #choiceNegations(place: Place): Alternative[] {
    const found: Alternative[] = [];
    if (says(place, 'not')) found.push({ literals: [this.#statements.literal(place, 'not')] });
    if (says(place, 'if') && (says(place, 'then') || says(place, 'else'))) {
      const [test, then, otherwise] = this.#branches(place);
      found.push(
        { literals: [test, negated(then)] },
        { literals: [negated(test), negated(otherwise)] },
      );
    }
    if (says(place, 'anyOf')) found.push({ literals: this.#parts(place, 'anyOf').map(negated) });
    if (says(place, 'oneOf')) {
      const parts = this.#parts(place, 'oneOf');
      found.push({ literals: parts.map(negated) });
      parts.forEach((a, i) => {
        for (const b of parts.slice(i + 1)) found.push({ literals: [a, b] });
      });
    }
    for (const { name, needs } of this.#dependents(place)) {
      const present = objects({ required: new Set([name]) });
      if (typeof needs === 'number') {
        found.push({ rules: present, literals: [negated(needs)] });
        continue;
      }
      for (const other of needs) {
        if (other === name) continue;
        const rules = objects({ required: new Set([name]), properties: properties(other, NEVER) });
        found.push({ rules, literals: [] });
      }
    }
    return found;
  }

  async #scalarNegations(place: Place): Promise<Rules[]> {
    const found: Rules[] = [];
    const types = typesOf(place);
    if (types.bits !== ALL_TYPES) found.push({ ...ANY_VALUE, types: ALL_TYPES & ~types.bits });
    const numbers = (set: Numbers) => found.push({ ...ANY_VALUE, types: NUMBER, numbers: set });
    if (types.whole) numbers({ ...ALL_NUMBERS, whole: false });
    complementNumbers(numbersOf(place)).forEach(numbers);
    const keywords = ['minLength', 'maxLength', 'pattern', 'format'];
    if (keywords.some((keyword) => says(place, keyword))) {
      const said = await this.#statements.textsOf(place);
      for (const texts of await complementTexts(said, this.#pace)) {
        found.push({ ...ANY_VALUE, types: STRING, texts });
      }
    }
    return found.filter((rules) => rules.types !== 0);
  }

  /** That a value is none of these; where it is a list or object like that of `const`, see below. */
  #unequal(place: Place, values: readonly unknown[]): Alternative {
    const { scalars, structures } = parted(values);
    const rules = scalarRules(scalars);
    const [numbers] = complementNumbers(rules.numbers);
    const texts = allBut(scalars.filter((value) => typeof value === 'string'));
    let types = ALL_TYPES & ~(rules.types & (NULL | TRUE | FALSE));
    if (!says(place, 'const')) {
      const literals = structures.map((i) => negated(this.#member(place, i)));
      return { rules: { ...ANY_VALUE, types, numbers, texts }, literals };
    }
    if (structures.length > 0) types &= ~(Array.isArray(values[0]) ? ARRAY : OBJECT);
    return { rules: { ...ANY_VALUE, types, numbers, texts }, literals: [] };
  }

  /** A member of `enum` that is an object or a list. */
  #member(place: Place, index: number): Literal {
    const value = listOf(place, 'enum')[index];
    return this.#statements.constant(place, `${place.path}.enum[${index}]`, value);
  }

  #arrayNegations(place: Place): Rules[] {
    const found: Rules[] = [];
    const { schema } = place;
    if (says(place, 'const') && Array.isArray(schema.const)) {
      found.push(...this.#unlikeList(place, schema.const));
    }
    const isOldTuple = Array.isArray(schema.items);
    const tuple = isOldTuple ? 'items' : 'prefixItems';
    const length = says(place, tuple) ? this.#parts(place, tuple).length : 0;
    for (let i = 0; i < length; i++) {
      const literal = negated(this.#statements.literal(place, tuple, i));
      found.push(
        arrays({ prefix: [...Array.from({ length: i }, () => []), [literal]], min: i + 1 }),
      );
    }
    const rest = isOldTuple ? 'additionalItems' : 'items';
    const counted = (count: Count) => arrays({ counts: [count] });
    if (says(place, rest)) {
      const literal = negated(this.#statements.literal(place, rest));
      if (literal === ALWAYS) found.push(arrays({ min: length + 1 }));
      else found.push(counted({ literals: [literal], min: 1, max: Infinity, from: length }));
    }
    const min = countOf(place, 'minItems') ?? 0;
    const max = countOf(place, 'maxItems') ?? Infinity;
    if (min > 0) found.push(arrays({ max: min - 1 }));
    if (max < Infinity) found.push(arrays({ min: max + 1 }));
    if (schema.uniqueItems === true) unsupported(place, 'uniqueItems');
    if (says(place, 'contains')) {
      const literals = [this.#statements.literal(place, 'contains')];
      const least = countOf(place, 'minContains') ?? 1;
      const most = countOf(place, 'maxContains') ?? Infinity;
      if (least > 0) found.push(counted({ literals, min: 0, max: least - 1, from: 0 }));
      if (most < Infinity) found.push(counted({ literals, min: most + 1, max: Infinity, from: 0 }));
    }
    if (says(place, 'unevaluatedItems')) unsupported(place, 'unevaluatedItems');
    return found;
  }

  async #objectNegations(place: Place): Promise<Rules[]> {
    const found: Rules[] = [];
    const { schema } = place;
    if (says(place, 'const') && isRecord(schema.const)) {
      found.push(...this.#unlikeObject(place, schema.const));
    }
    const names = keysOf(place, 'properties');
    for (const name of names) {
      const literal = negated(this.#statements.literal(place, 'properties', name));
      if (literal === NEVER) continue;
      const required = new Set([name]);
      found.push(
        objects({
          required,
          properties: literal === ALWAYS ? new Map() : properties(name, literal),
        }),
      );
    }
    for (const name of namesOf(place, 'required')) found.push(without(name, OBJECT));
    const some = (part: Partial<Some>) => {
      const everything = { names: new Set<string>(), patterns: [] };
      found.push(
        objects({
          some: [{ others: everything, pattern: undefined, names: [], literals: [], ...part }],
        }),
      );
    };
    const patterns = [];
    for (const source of keysOf(place, 'patternProperties')) {
      const path = `${place.path}.patternProperties.${source}`;
      const pattern = { source, texts: await this.#statements.pattern(source, path) };
      patterns.push(pattern);
      const literal = negated(this.#statements.literal(place, 'patternProperties', source));
      if (literal !== NEVER) some({ pattern, literals: [literal] });
    }
    if (says(place, 'additionalProperties')) {
      const literal = negated(this.#statements.literal(place, 'additionalProperties'));
      const others = { names: new Set(names), patterns };
      if (literal !== NEVER) some({ others, literals: [literal] });
    }
    if (says(place, 'propertyNames')) {
      const literal = negated(this.#statements.literal(place, 'propertyNames'));
      if (literal !== NEVER) some({ names: [literal] });
    }
    const min = countOf(place, 'minProperties') ?? 0;
    const max = countOf(place, 'maxProperties') ?? Infinity;
    if (min > 0) found.push(objects({ max: min - 1 }));
    if (max < Infinity) found.push(objects({ min: max + 1 }));
    if (says(place, 'unevaluatedProperties')) unsupported(place, 'unevaluatedProperties');
    return found;
  }

  #unlikeList(place: Place, value: readonly unknown[]): Rules[] {
    const found = [arrays({ min: value.length + 1 })];
    if (value.length > 0) found.push(arrays({ max: value.length - 1 }));
    value.forEach((item, i) => {
      const literal = negated(this.#statements.constant(place, `${place.path}.const[${i}]`, item));
      found.push(
        arrays({ prefix: [...Array.from({ length: i }, () => []), [literal]], min: i + 1 }),
      );
    });
    return found;
  }

  #unlikeObject(place: Place, value: Readonly<Record<string, unknown>>): Rules[] {
    const names = Object.keys(value);
    const found = [objects({ min: names.length + 1 })];
    for (const name of names) {
      found.push(without(name, OBJECT));
      const path = `${place.path}.const.${name}`;
      const literal = negated(this.#statements.constant(place, path, value[name]));
      found.push(objects({ required: new Set([name]), properties: properties(name, literal) }));
    }
    return found;
  }

  #branches(place: Place): [test: Literal, then: Literal, otherwise: Literal] {
    const branch = (keyword: string) =>
      says(place, keyword) ? this.#statements.literal(place, keyword) : ALWAYS;
    return [branch('if'), branch('then'), branch('else')];
  }

  /** A keyword's schemas; none where it is not there. */
  #parts(place: Place, keyword: string): Literal[] {
    if (!says(place, keyword)) return [];
    return listOf(place, keyword, 'schemas').map((_, i) =>
      this.#statements.literal(place, keyword, i),
    );
  }

  #references(place: Place): Literal[] {
    const found: Literal[] = [];
    for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) {
      if (!says(place, keyword)) continue;
      const ref = String(place.schema[keyword]);
      const isDynamic =
        keyword === '$dynamicRef'
          ? this.#document.isDynamic(ref.replace(/^.*#/, ''))
          : keyword === '$recursiveRef' && this.#document.isRecursive;
      if (isDynamic) {
        invalid(
          `${place.path}.${keyword}`,
          'depends on who refers to it, which output cannot be held to',
        );
      }
      found.push(literalOf(this.#document.resolve(place, keyword)));
    }
    return found;
  }

  /** What properties need beside them: names, or a schema. */
  #dependents(
    place: Place,
  ): { keyword: string; name: string; needs: readonly string[] | Literal }[] {
    return ['dependentRequired', 'dependentSchemas', 'dependencies'].flatMap((keyword) =>
      keysOf(place, keyword).flatMap((name) => {
        const value = Reflect.get(Object(place.schema[keyword]), name);
        const path = `${place.path}.${keyword}.${name}`;
        const needs = Array.isArray(value)
          ? namesOf(place, keyword, value, path)
          : this.#statements.literal(place, keyword, name);
        const isNeedless =
          typeof needs === 'number' ? needs === ALWAYS : needs.every((one) => one === name);
        return isNeedless ? [] : [{ keyword, name, needs }];
      }),
    );
  }
}

function unsupported(place: Place, keyword: string): never {
  return invalid(
    `${place.path}.${keyword}`,
    'stands where it must not hold (in not, if or oneOf), which output cannot be held to',
  );
}
