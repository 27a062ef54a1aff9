import { DEAD, type Dfa } from '../../language/dfa';
import type { Language } from '../../schema/texts';
import { partialCharacter } from '../partial-character';
import { NEVER, Place, type Places } from '../place';
import type { NameSet } from './name-set';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What JSON.stringify writes after a backslash. */
const SHORT = new Map<number, number>([
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);
/** Characters that are written with a backslash: all others stand as they are. */
const ESCAPED = [...Array.from({ length: 0x20 }, (_, code) => code), QUOTE, BACKSLASH];

/** Where a string stands in its language: what may still come, in code points. */
export interface StringState {
  readonly dfa: Dfa;
  readonly state: number;
  readonly min: number;
  readonly max: number;
  /** What the text must not go on with to its end. */
  readonly except: NameSet | undefined;
}

/** The start of a language's strings. */
export function startOf({ dfa, min, max }: Language, except: NameSet | undefined): StringState {
  return { dfa, state: dfa.start, min, max, except };
}

/** After a code point; undefined where no text goes on so. */
export function after(from: StringState, codePoint: number): StringState | undefined {
  const { dfa, min, max } = from;
  const state = dfa.step(from.state, codePoint);
  if (state === DEAD) return undefined;
  const next = {
    dfa,
    state,
    min: Math.max(0, min - 1),
    max: max - 1,
    except: from.except?.children.get(codePoint),
  };
  return leadsOn(next) ? next : undefined;
}

/** Whether a text may be completed. */
export function leadsOn({ dfa, state, min, max, except }: StringState): boolean {
  if (max < 0 || !dfa.completes(state, min, max)) return false;
  if (except === undefined) return true;
  if (dfa.count(state, min, max, except.size + 1) > except.size) return true;
  // Few are left: those that are used are counted one by one.
  const used = except.count((codes) => {
    let at = state;
    for (const code of codes) {
      if (at === DEAD) return false;
      at = dfa.step(at, code);
    }
    return at !== DEAD && dfa.accepting[at] === 1 && codes.length >= min && codes.length <= max;
  });
  return dfa.count(state, min, max, used + 1) > used;
}

/** Whether the text may end. */
export function mayEnd({ dfa, state, min, except }: StringState): boolean {
  return dfa.accepting[state] === 1 && min <= 0 && except?.isEnd !== true;
}

/** Inside of a JSON string, between two characters or within one. */
export class StringPlace extends Place {
  readonly string: StringState;
  /** Where it goes on after the closing quotation mark; NEVER where that may not come. */
  readonly done: Place;
  /** Bytes of a character that is not complete, the backslash of an escape included. */
  readonly partial: string;
  readonly #places: Places;

  private constructor(
    id: number,
    places: Places,
    string: StringState,
    done: Place,
    partial: string,
  ) {
    super(id);
    this.#places = places;
    this.string = string;
    this.done = done;
    this.partial = partial;
  }

  static at(places: Places, string: StringState, done: Place, partial = ''): StringPlace {
    const { dfa, state, min, max, except } = string;
    const key = `"${idOf(dfa)},${state},${min},${max},${except?.id ?? ''},${done.id},${partial}`;
    return places.get(key, (id) => new StringPlace(id, places, string, done, partial));
  }

  protected findStep(byte: number): readonly Place[] {
    const { partial } = this;
    if (partial === '') return this.#between(byte);
    return partial.startsWith('\\') ? this.#escape(byte) : this.#utf8(byte);
  }

  #between(byte: number): readonly Place[] {
    if (byte === QUOTE) return mayEnd(this.string) && this.done !== NEVER ? [this.done] : [];
    if (byte === BACKSLASH) {
      return ESCAPED.some((code) => after(this.string, code)) ? [this.#with('\\')] : [];
    }
    if (byte < 0x20) return [];
    return byte < 0x80 ? this.#past(byte) : this.#utf8(byte);
  }

  #escape(byte: number): readonly Place[] {
    const { partial } = this;
    if (partial === '\\') {
      const code = SHORT.get(byte);
      if (code !== undefined) return this.#past(code);
      return byte === 0x75 ? this.#hex('\\u') : [];
    }
    return this.#hex(partial + String.fromCharCode(byte));
  }

  /** `\u00…`, of the control characters that have no shorter escape. */
  #hex(written: string): readonly Place[] {
    for (const code of ESCAPED) {
      const spelling = JSON.stringify(String.fromCharCode(code)).slice(1, -1);
      if (!spelling.startsWith(written) || after(this.string, code) === undefined) continue;
      return spelling === written ? this.#past(code) : [this.#with(written)];
    }
    return [];
  }

  #utf8(byte: number): readonly Place[] {
    const bytes = [...Array.from(this.partial, (one) => one.charCodeAt(0)), byte];
    const character = partialCharacter(bytes);
    if (character === undefined) return [];
    const { from, to, isWhole } = character;
    if (isWhole) return this.#past(from);
    return this.#leadsOnWithin(from, to) ? [this.#with(String.fromCharCode(...bytes))] : [];
  }

  /** Whether some character between two code points may come. */
  #leadsOnWithin(from: number, to: number): boolean {
    const { dfa, state, min, max } = this.string;
    if (max < 1) return false;
    for (const one of dfa.alphabet.classesWithin(from, to)) {
      const target = dfa.next[state * dfa.alphabet.size + one];
      if (target !== DEAD && dfa.completes(target, Math.max(0, min - 1), max - 1)) return true;
    }
    return false;
  }

  #past(code: number): readonly Place[] {
    const next = after(this.string, code);
    return next === undefined ? [] : [StringPlace.at(this.#places, next, this.done)];
  }

  #with(partial: string): Place {
    return StringPlace.at(this.#places, this.string, this.done, partial);
  }
}

const ids = new WeakMap<Dfa, number>();
let count = 0;

function idOf(dfa: Dfa): number {
  const known = ids.get(dfa) ?? count++;
  ids.set(dfa, known);
  return known;
}
