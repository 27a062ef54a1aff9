import type { Dfa } from '../language/dfa';
import type { ValuePlan } from '../schema/plan';

/** What a text may be, in parts. */
export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  /** A text of a language. */
  | { readonly kind: 'language'; readonly dfa: Dfa }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Expression[] }
  /** `max` may be Infinity. */
  | {
      readonly kind: 'repeat';
      readonly part: Expression;
      readonly min: number;
      readonly max: number;
    }
  /** Another expression, by name; it may refer to itself. */
  | { readonly kind: 'rule'; readonly rule: Rule }
  /** A JSON value. */
  | { readonly kind: 'value'; readonly plan: ValuePlan }
  /** Anything; where words are given, until the first of them is complete, which is part of it. */
  | {
      readonly kind: 'anything';
      /** What follows each word. None of the words is part of another. */
      readonly until: readonly { readonly word: string; readonly next: Expression }[];
      /** It may end before, too. */
      readonly mayEnd: boolean;
    };

export interface Rule {
  readonly name: string;
  /** Set once all rules have been read. */
  body: Expression;
}

export const EMPTY: Expression = { kind: 'sequence', parts: [] };
/** No text at all. */
export const NOTHING: Expression = { kind: 'choice', parts: [] };
