import type { ValuePlan } from '../../schema/plan';
import { ByteTrie } from '../byte-trie';
import { LiteralPlace } from '../literal-place';
import { END, Place, type Places } from '../place';
import { ArrayShape } from './array-places';
import { NameSet } from './name-set';
import { NumberPlace } from './number-place';
import { ObjectShape } from './object-places';
import { leadsOn, StringPlace, startOf } from './string-place';
import type { UsedValues } from './used-values';
import type { ValueStarts } from './value-starts';

const KEYWORDS = ['null', 'true', 'false'] as const;
const KEYWORD_TRIES = KEYWORDS.map((keyword) => ByteTrie.of([keyword]));

/** The places where values begin, by their plans. */
export class Values implements ValueStarts {
  readonly #places: Places;
  readonly #starts = new Map<ValuePlan, readonly Place[]>();

  constructor(places: Places) {
    this.#places = places;
  }

  starts(plan: ValuePlan): readonly Place[] {
    const known = this.#starts.get(plan);
    if (known !== undefined) return known;
    const starts = this.#find(plan, `${plan.id}`, undefined);
    this.#starts.set(plan, starts);
    return starts;
  }

  /** Likewise, of a plan that leaves out what has been used; made anew each time. */
  startsOf(plan: ValuePlan, used: UsedValues): readonly Place[] {
    return this.#find(plan, `${plan.id}u${used.id}`, used.strings);
  }

  #find(plan: ValuePlan, key: string, except: NameSet | undefined): readonly Place[] {
    const places = this.#places;
    const starts: Place[] = [];
    KEYWORDS.forEach((keyword, i) => {
      if (plan[keyword]) starts.push(LiteralPlace.at(places, keyword, KEYWORD_TRIES[i]));
    });
    for (const numbers of plan.numbers) starts.push(NumberPlace.at(places, numbers));
    if (plan.words.length > 0) {
      const trie = ByteTrie.of(plan.words.map((word) => JSON.stringify(word)));
      starts.push(LiteralPlace.at(places, `w${key}`, trie));
    }
    plan.languages.forEach((language, i) => {
      const state = startOf(language, exceptOf(language.except, except));
      if (!leadsOn(state)) return;
      const inside = StringPlace.at(places, state, END);
      starts.push(places.get(`"${key},${i}`, (id) => new QuotePlace(id, inside)));
    });
    for (const array of plan.arrays) starts.push(new ArrayShape(array, places, this).start);
    for (const object of plan.objects) starts.push(new ObjectShape(object, places, this).start);
    return starts;
  }
}

/** Names that a language leaves out, and those that have been used. */
function exceptOf(words: ReadonlySet<string>, used: NameSet | undefined): NameSet | undefined {
  if (words.size === 0) return used;
  if (used === undefined) return NameSet.of(words);
  let set = used;
  for (const word of words) set = set.with(word);
  return set;
}

/** Before the quotation mark that begins a string. */
class QuotePlace extends Place {
  readonly #inside: Place;

  constructor(id: number, inside: Place) {
    super(id);
    this.#inside = inside;
  }

  protected findStep(byte: number): readonly Place[] {
    return byte === 0x22 ? [this.#inside] : [];
  }
}
