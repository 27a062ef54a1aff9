import type { Configuration, Machine } from '../machine';
import type { Place } from '../place';

/**
 * A place just after the name of a property that is not among an object's known ones. Whoever has
 * the text says what that name was; until then no other name of the same kind can be completed.
 */
export interface Named {
  readonly isNamed: boolean;
  named(name: string): Place;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Tells the places that wait for it the name that `text` ends with. */
export function withName(
  machine: Machine,
  configuration: Configuration,
  text: Uint8Array,
): Configuration {
  const { threads, accepts } = configuration;
  if (text[text.length - 1] !== QUOTE || !threads.some(({ place }) => isNamed(place))) {
    return configuration;
  }
  const name: string = JSON.parse(new TextDecoder().decode(text.subarray(openingQuote(text))));
  const named = threads.map(({ place, stack }) => ({
    place: isNamed(place) ? place.named(name) : place,
    stack,
  }));
  return machine.of(named, accepts);
}

function isNamed(place: Place): place is Place & Named {
  return 'isNamed' in place && place.isNamed === true;
}

/** Where the string begins that ends with a text's last byte. */
function openingQuote(text: Uint8Array): number {
  for (let at = text.length - 2; at >= 0; at--) {
    if (text[at] !== QUOTE) continue;
    let backslashes = 0;
    while (text[at - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  throw new Error('A string ends that has not begun.');
}
