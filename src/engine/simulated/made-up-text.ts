/** Strings that satisfy what a JSON schema says of them. */
import type { Random } from '../../scheduler';
import { fillerText } from './filler-text';

const SHORT = 3;
const LONG = 24;
const MATCH_TRIES = 20;

const below = (random: Random, count: number) => Math.floor(random() * count);

/** The beginning of a sentence: `least` to `most` characters, few where it may be. */
export function madeUpWords(random: Random, least = 0, most = Infinity): string {
  const length = Math.min(Math.max(least, LONG), most);
  const text = fillerText(below(random, 2 ** 31), length).slice(0, length);
  const end = text.lastIndexOf(' ');
  return end >= Math.max(least, SHORT) ? text.slice(0, end) : text;
}

const two = (n: number) => String(n).padStart(2, '0');
const date = (random: Random) =>
  `${2000 + below(random, 50)}-${two(1 + below(random, 12))}-${two(1 + below(random, 28))}`;
const time = (random: Random) =>
  `${two(below(random, 24))}:${two(below(random, 60))}:${two(below(random, 60))}Z`;
const hex = (random: Random, digits: number) =>
  Array.from({ length: digits }, () => below(random, 16).toString(16)).join('');
const host = (random: Random) => `page-${hex(random, 4)}.example`;

const FORMATS: Readonly<Record<string, (random: Random) => string>> = {
  email: (random) => `someone@${host(random)}`,
  date,
  time,
  'date-time': (random) => `${date(random)}T${time(random)}`,
  duration: (random) => `P${1 + below(random, 30)}D`,
  ipv4: (random) => `192.0.2.${below(random, 256)}`,
  ipv6: (random) => `2001:db8::${1 + below(random, 9)}`,
  hostname: host,
  uuid: (random) =>
    `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-8${hex(random, 3)}-${hex(random, 12)}`,
  uri: (random) => `https://${host(random)}/`,
  'uri-reference': (random) => `/${hex(random, 4)}`,
  'uri-template': (random) => `https://${host(random)}/{id}`,
};

/** Undefined where the format is not known. */
export function madeUpFormat(format: unknown, random: Random): string | undefined {
  return typeof format === 'string' && Object.hasOwn(FORMATS, format)
    ? FORMATS[format](random)
    : undefined;
}

/** A string that matches the pattern; undefined where none was found. */
export function madeUpMatch(pattern: string, random: Random): string | undefined {
  const regExp = asRegExp(pattern);
  const write = new PatternReader(pattern, random).read();
  for (let i = 0; i < MATCH_TRIES; i++) {
    const text = write();
    if (regExp.test(text)) return text;
  }
  return undefined;
}

const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
/** Where no printable character will do. */
const OTHERS = [
  ...'\n\t\r\f\b',
  ...Array.from({ length: 0x2000 }, (_, i) => String.fromCharCode(0xa0 + i)),
];

/** Groups, ends, repetitions; a character, a class or an escape. */
const TOKEN =
  /\(\?<[a-z]\w*>|\(\?:|[()|^$]|[*+?]\??|\{\d+(?:,\d*)?\}\??|\[(?:\\.|[^\]\\])*\]|\\u[\da-f]{4}|\\x[\da-f]{2}|\\?./gisu;

/** Reads a regular expression as what writes a text that it matches, ends aside. */
class PatternReader {
  readonly #random: Random;
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(pattern: string, random: Random) {
    this.#random = random;
    this.#tokens = pattern.match(TOKEN) ?? [];
  }

  read(): () => string {
    const options = [this.#sequence()];
    while (this.#tokens[this.#at] === '|') {
      this.#at++;
      options.push(this.#sequence());
    }
    return () => options[below(this.#random, options.length)]();
  }

  #sequence(): () => string {
    const parts: (() => string)[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || token === '|' || token === ')') break;
      parts.push(this.#repeated(this.#atom(token)));
    }
    return () => parts.map((part) => part()).join('');
  }

  #atom(token: string): () => string {
    this.#at++;
    if (token === '^' || token === '$') return () => '';
    if (token.startsWith('(')) {
      const inner = this.read();
      this.#at++; // its end
      return inner;
    }
    const characters = charactersOf(token);
    return () => characters[below(this.#random, characters.length)] ?? '';
  }

  #repeated(part: () => string): () => string {
    const token = this.#tokens[this.#at] ?? '';
    const [all, sign, count, comma, end] = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(token) ?? [];
    if (all === undefined) return part;
    this.#at++;
    const least = count === undefined ? Number(sign === '+') : Number(count);
    const limit = sign === '?' ? 1 : Number(end || Infinity);
    const most = comma === '' ? least : Math.min(limit, least + 3);
    return () => {
      const times = least + below(this.#random, most - least + 1);
      return Array.from({ length: times }, part).join('');
    };
  }
}

/** What one character of a pattern may be; letters and digits where they will do. */
function charactersOf(token: string): readonly string[] {
  const one = asRegExp(`^${token}$`);
  const printable = PRINTABLE.filter((character) => one.test(character));
  const plain = printable.filter((character) => /[a-z\d]/i.test(character));
  if (plain.length > 0) return plain;
  return printable.length > 0 ? printable : OTHERS.filter((character) => one.test(character));
}

function asRegExp(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch {
    return new RegExp(source);
  }
}
