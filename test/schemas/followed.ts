/** Values followed through a schema's grammar, as a model would write them. */
import { compileGrammar } from '../../src/engine/sampling/grammar/grammar';
import { withName } from '../../src/engine/sampling/grammar/json/named';
import type { Configuration, Machine } from '../../src/engine/sampling/grammar/machine';
import type { Random } from '../../src/scheduler';

/** Throws invalid_schema. */
export function grammarOf(schema: unknown): Promise<Machine> {
  return compileGrammar({ type: 'json_schema', schema: JSON.stringify(schema), path: 'schema' });
}

interface Written {
  configuration: Configuration;
  bytes: Uint8Array;
}

/** Ways that are tried for one value. */
const TRIES = 4000;

/** Whether a value can be written, its names in some order. */
export function canBeWritten(machine: Machine, value: unknown): boolean {
  const writer = new Writer(machine);
  for (const { configuration } of writer.write(writer.start, value)) {
    if (configuration.accepts) return true;
  }
  return false;
}

/** Whether a text can be written, just so. */
export function canBeText(machine: Machine, text: string): boolean {
  const writer = new Writer(machine);
  return writer.feed(writer.start, text)?.configuration.accepts ?? false;
}

class Writer {
  readonly start: Written;
  readonly #machine: Machine;
  #tries = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.start = { configuration: machine.start, bytes: new Uint8Array() };
  }

  feed(from: Written, text: string): Written | undefined {
    let { configuration } = from;
    const more = new TextEncoder().encode(text);
    const bytes = new Uint8Array(from.bytes.length + more.length);
    bytes.set(from.bytes);
    bytes.set(more, from.bytes.length);
    for (let i = 0; i < more.length; i++) {
      const next = this.#machine.step(configuration, more[i]);
      if (next === null) return undefined;
      const soFar = bytes.subarray(0, from.bytes.length + i + 1);
      configuration = withName(this.#machine, next, soFar);
    }
    return { configuration, bytes };
  }

  /** All the ways to write a value. */
  *write(from: Written, value: unknown): Generator<Written> {
    if (++this.#tries > TRIES) return;
    if (Array.isArray(value)) {
      const open = this.feed(from, '[');
      if (open !== undefined) yield* this.#items(open, value, 0);
    } else if (typeof value === 'object' && value !== null) {
      const open = this.feed(from, '{');
      if (open !== undefined) yield* this.#properties(open, Object.entries(value), '');
    } else {
      const written = this.feed(from, JSON.stringify(value));
      if (written !== undefined) yield written;
    }
  }

  *#items(from: Written, items: readonly unknown[], index: number): Generator<Written> {
    if (index === items.length) {
      const closed = this.feed(from, ']');
      if (closed !== undefined) yield closed;
      return;
    }
    const next = index === 0 ? from : this.feed(from, ',');
    if (next === undefined) return;
    for (const after of this.write(next, items[index])) yield* this.#items(after, items, index + 1);
  }

  *#properties(
    from: Written,
    left: readonly (readonly [string, unknown])[],
    separator: string,
  ): Generator<Written> {
    if (left.length === 0) {
      const closed = this.feed(from, '}');
      if (closed !== undefined) yield closed;
      return;
    }
    for (const property of left) {
      const [name, value] = property;
      const named = this.feed(from, `${separator}${JSON.stringify(name)}:`);
      if (named === undefined) continue;
      const others = left.filter((one) => one !== property);
      for (const after of this.write(named, value)) yield* this.#properties(after, others, ',');
    }
  }
}

/** What a model that knows nothing writes; undefined where it gets long. Throws at a dead end. */
export function writtenAtRandom(machine: Machine, random: Random): string | undefined {
  let configuration = machine.start;
  let bytes = new Uint8Array();
  while (bytes.length < 400) {
    const isLong = bytes.length > 60;
    if (configuration.accepts && (isLong || random() < 0.3)) return new TextDecoder().decode(bytes);
    const ways = Array.from({ length: 256 }, (_, byte) => byte).filter(
      (byte) => machine.step(configuration, byte) !== null,
    );
    if (ways.length === 0 && !configuration.accepts) {
      throw new Error(`Nothing follows ${new TextDecoder().decode(bytes)}`);
    }
    if (ways.length === 0) continue;
    const closing = ways.filter((byte) => '"]}:'.includes(String.fromCharCode(byte)));
    const usual = ways.filter((byte) => byte >= 0x20 && byte < 0x80 && byte !== 0x5c);
    const closes = closing.length > 0 && (isLong || random() < 0.35);
    const open = closes ? closing : usual.length > 0 && random() < 0.95 ? usual : ways;
    const byte = open[Math.floor(random() * open.length)];
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    longer[bytes.length] = byte;
    bytes = longer;
    const next = machine.step(configuration, byte);
    if (next !== null) configuration = withName(machine, next, bytes);
  }
  return undefined;
}
