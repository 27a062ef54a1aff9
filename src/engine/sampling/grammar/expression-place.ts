import { ByteTrie } from './byte-trie';
import type { Expression, Rule } from './expression';
import { FreeTextPlace } from './free-text-place';
import type { Values } from './json/values';
import { LiteralPlace } from './literal-place';
import { type Call, END, Place, type Places } from './place';
import { TextPlace } from './text-place';

/** Makes the places of expressions. */
export class Expressions {
  readonly #places: Places;
  readonly #values: Values;
  readonly #ids = new Map<Expression | Rule, number>();

  constructor(places: Places, values: Values) {
    this.#places = places;
    this.#values = values;
  }

  /** Before an expression, after which it goes on at `done`. */
  at(expression: Expression, done: Place): Place {
    const { kind } = expression;
    if (kind === 'text' && expression.text === '') return done;
    const key = `x${this.#idOf(expression)},${done.id}`;
    const places = this.#places;
    switch (kind) {
      case 'text':
        return LiteralPlace.at(places, key, ByteTrie.of([expression.text]), done);
      case 'language':
        return TextPlace.at(places, expression.dfa, done);
      case 'anything':
        return this.#anything(expression, key, done);
      default:
        return places.get(key, (id) => new ExpressionPlace(id, this, expression, done));
    }
  }

  /** Before what is left of a sequence, or of a repetition that has been gone through so often. */
  rest(expression: Expression, from: number, done: Place): Place {
    const key = `x${this.#idOf(expression)},${done.id},${from}`;
    return this.#places.get(key, (id) => new ExpressionPlace(id, this, expression, done, from));
  }

  /** The places where an expression begins that is called. */
  called(expression: Expression): readonly Place[] {
    if (expression.kind === 'value') return this.#values.starts(expression.plan);
    if (expression.kind === 'rule') return [this.at(expression.rule.body, END)];
    throw new Error(`A ${expression.kind} is not called.`);
  }

  #anything(expression: Expression & { kind: 'anything' }, key: string, done: Place): Place {
    const { until, mayEnd } = expression;
    const encoder = new TextEncoder();
    const watch = {
      id: key,
      words: until.map(({ word }) => encoder.encode(word)),
      after: until.map(({ next }) => this.at(next, done)),
      done: mayEnd ? [done] : [],
    };
    return FreeTextPlace.at(this.#places, watch);
  }

  #idOf(expression: Expression): number {
    // A rule is the same wherever it is referred to.
    const key = expression.kind === 'rule' ? expression.rule : expression;
    const id = this.#ids.get(key) ?? this.#ids.size;
    this.#ids.set(key, id);
    return id;
  }
}

/** Before an expression that is made of others. */
class ExpressionPlace extends Place {
  readonly #expressions: Expressions;
  readonly #expression: Expression;
  readonly #done: Place;
  readonly #from: number;
  #also: readonly Place[] | undefined;

  constructor(id: number, expressions: Expressions, expression: Expression, done: Place, from = 0) {
    super(id);
    this.#expressions = expressions;
    this.#expression = expression;
    this.#done = done;
    this.#from = from;
  }

  override get takesBytes(): boolean {
    return false;
  }

  override get also(): readonly Place[] {
    this.#also ??= this.#parts();
    return this.#also;
  }

  protected override findCalls(): readonly Call[] {
    const { kind } = this.#expression;
    if (kind !== 'rule' && kind !== 'value') return [];
    return [{ starts: this.#expressions.called(this.#expression), after: this.#done }];
  }

  protected findStep(): readonly Place[] {
    return [];
  }

  #parts(): readonly Place[] {
    const expression = this.#expression;
    const expressions = this.#expressions;
    const done = this.#done;
    const from = this.#from;
    switch (expression.kind) {
      case 'sequence': {
        const { parts } = expression;
        if (from >= parts.length) return [done];
        const isLast = from === parts.length - 1;
        return [
          expressions.at(parts[from], isLast ? done : expressions.rest(expression, from + 1, done)),
        ];
      }
      case 'choice':
        return expression.parts.map((part) => expressions.at(part, done));
      case 'repeat': {
        const { part, min, max } = expression;
        // Where more make no difference, `from` stays.
        const next = max === Infinity ? Math.min(from + 1, min) : from + 1;
        const more =
          from < max ? [expressions.at(part, expressions.rest(expression, next, done))] : [];
        return from >= min ? [done, ...more] : more;
      }
      default:
        return [];
    }
  }
}
