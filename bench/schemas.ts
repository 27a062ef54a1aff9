import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { compileGrammar } from '../src/engine/sampling/grammar/grammar';
import type { Machine } from '../src/engine/sampling/grammar/machine';
import { Masks } from '../src/engine/sampling/grammar/masks';
import { MachineMatcher } from '../src/engine/sampling/grammar/matcher';
import { type GrammarVocabulary, Vocabulary } from '../src/engine/sampling/grammar/vocabulary';
import { Pace } from '../src/engine/sampling/pace';
import { inSlices } from '../src/engine/sampling/sliced';
import { seededRandom, TempoError } from '../src/scheduler';
import { canBeWritten } from '../test/schemas/followed';

const USAGE = `npm run bench -- schemas --dir FOLDER [flags]
  --dir FOLDER    schemas with instances: MaskBench's data ({ schema, tests } a file) or a draft of the
                  JSON-Schema-Test-Suite (lists of { schema, tests })
  --vocab NAME    a tokenizer.json, or an installed package that holds one; also masks are made and timed
  --sample N      so many schemas, drawn by --seed S (1)
  --json FILE     all figures`;

/** A schema and its instances. */
interface Case {
  name: string;
  schema: unknown;
  tests: readonly Instance[];
}

interface Instance {
  valid: boolean;
  data: unknown;
  /**
   * Its text. One that is invalid has its numbers as its file spells them: to draft 4 `1.0` is no
   * integer, and to a script the same as `1`.
   */
  text: string;
}

/** How a schema did. Times in ms. */
interface Row {
  name: string;
  /** Why it was refused. */
  refused?: string;
  /** Invalid instances that can be written, valid ones that cannot, and of those what the order of names alone keeps from it. */
  wrong: string[];
  lost: string[];
  lostByOrder: number;
  valid: number;
  invalid: number;
  compileMs: number;
  firstMaskMs?: number;
  masksMs: number[];
  /**
   * What a step waited for each: the rest is done while the sequence is left out of steps. Of this
   * process's own time, whatever computes beside it.
   */
  waitsMs: number[];
  /** The longest time, likewise, that nothing else had its turn until the first mask was there. */
  blockMs: number;
}

/**
 * `npm run bench -- schemas …`: how many schemas output can be held to, whether what they allow is what
 * can be written, and how long that takes.
 */
export async function run(args: string[]): Promise<void> {
  const flags = flagsOf(args);
  if (flags === undefined) return;
  const cases = sampled(casesOf(flags.dir), flags.sample, flags.seed);
  const vocabulary = flags.vocab === undefined ? undefined : await vocabularyOf(flags.vocab);
  const rows: Row[] = [];
  for (const [i, one] of cases.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K… ${i} of ${cases.length}`);
    rows.push(await judge(one, vocabulary));
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  report(rows);
  if (flags.json !== undefined) {
    writeFileSync(flags.json, `${JSON.stringify({ dir: flags.dir, rows }, null, 1)}\n`);
  }
}

interface Flags {
  dir: string;
  vocab?: string;
  sample?: number;
  seed: number;
  json?: string;
}

function flagsOf(args: string[]): Flags | undefined {
  const text = { type: 'string' } as const;
  const options = { dir: text, vocab: text, sample: text, seed: text, json: text };
  try {
    const { values } = parseArgs({ args, options, strict: true });
    const { dir, vocab, json } = values;
    const sample = values.sample === undefined ? undefined : Number(values.sample);
    const seed = Number(values.seed ?? '1');
    if (dir === undefined) throw new Error('--dir is needed.');
    if (!Number.isSafeInteger(sample ?? 1) || !Number.isSafeInteger(seed)) {
      throw new Error('--sample and --seed are whole numbers.');
    }
    return { dir, vocab, sample, seed, json };
  } catch (thrown) {
    console.error(`${thrown instanceof Error ? thrown.message : thrown}\n\n${USAGE}`);
    process.exitCode = 1;
    return undefined;
  }
}

function casesOf(dir: string): Case[] {
  const files = readdirSync(dir).filter((file) => file.endsWith('.json'));
  return files.sort().flatMap((file) => {
    const content = parsed(readFileSync(join(dir, file), 'utf8'));
    const groups: readonly unknown[] = Array.isArray(content) ? content : [content];
    return groups.flatMap((group, i) => {
      if (!isCase(group)) return [];
      const name = Array.isArray(content) ? `${file}[${i}] ${group.description ?? ''}` : file;
      const tests = group.tests.map(({ valid, data }) => {
        const value = withNumbers(data);
        return { valid, data: value, text: valid ? JSON.stringify(value) : spelled(data) };
      });
      return [{ name, schema: withNumbers(group.schema), tests }];
    });
  });
}

/** Stands before a number that is spelled as JSON.stringify does not. */
const SPELLING = 'spelled:\u0007';

/** A JSON text, its numbers of another spelling as marked texts. */
function parsed(text: string): unknown {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => {
    if (token.startsWith('"') || JSON.stringify(Number(token)) === token) return token;
    return JSON.stringify(SPELLING + token);
  });
  return JSON.parse(marked);
}

/** Marked texts as the numbers that they are. */
function withNumbers(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    typeof part === 'string' && part.startsWith(SPELLING)
      ? Number(part.slice(SPELLING.length))
      : part,
  );
}

function spelled(value: unknown): string {
  const mark = JSON.stringify(SPELLING).slice(1, -1);
  return JSON.stringify(value).replaceAll(
    new RegExp(`"${mark.replace('\\', '\\\\')}([^"]*)"`, 'g'),
    '$1',
  );
}

function isCase(value: unknown): value is Pick<Case, 'schema'> & {
  tests: { valid: boolean; data: unknown }[];
  description?: string;
} {
  return (
    typeof value === 'object' &&
    value !== null &&
    'schema' in value &&
    'tests' in value &&
    Array.isArray(value.tests)
  );
}

function sampled(cases: Case[], count: number | undefined, seed: number): Case[] {
  if (count === undefined) return cases;
  const random = seededRandom(seed);
  const order = cases.map((one) => ({ one, place: random() }));
  return order
    .sort((a, b) => a.place - b.place)
    .slice(0, count)
    .map(({ one }) => one);
}

/** Every byte, and an end: what instances are judged with where no vocabulary is given. */
const BYTES: GrammarVocabulary = {
  tokens: [
    '</s>',
    ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).padStart(2, '0')}>`),
  ],
  encoding: 'byte_fallback',
  vocabSize: 257,
  stopTokens: [0],
};
const bytes = await Vocabulary.of(BYTES);

async function vocabularyOf(name: string): Promise<Vocabulary> {
  const file = name.endsWith('.json') ? resolve(name) : tokenizerFile(name);
  const { model, added_tokens: added } = JSON.parse(readFileSync(file, 'utf8'));
  const tokens: string[] = [];
  for (const [text, id] of Object.entries<number>(model.vocab)) tokens[id] = text;
  for (const { id, content } of added) tokens[id] = content;
  const isByteLevel = model.byte_fallback !== true;
  const startMs = performance.now();
  const vocabulary = await Vocabulary.of({
    tokens: Array.from(tokens, (token) => token ?? ''),
    encoding: isByteLevel ? 'byte_level' : 'byte_fallback',
    vocabSize: tokens.length,
    stopTokens: [tokens.length - 1],
  });
  console.log(`vocabulary   ${tokens.length} tokens, read in ${ms(performance.now() - startMs)}`);
  return vocabulary;
}

function tokenizerFile(name: string): string {
  const require = createRequire(join(process.cwd(), 'package.json'));
  const folder = dirname(require.resolve(`${name}/package.json`));
  return join(folder, 'models', 'tokenizer.json');
}

async function judge(
  { name, schema, tests }: Case,
  vocabulary: Vocabulary | undefined,
): Promise<Row> {
  const row: Row = {
    name,
    ...{ wrong: [], lost: [], lostByOrder: 0, valid: 0, invalid: 0 },
    ...{ compileMs: 0, masksMs: [], waitsMs: [], blockMs: 0 },
  };
  const startMs = performance.now();
  const blocks = new Blocks();
  let machine: Machine;
  try {
    machine = await compileGrammar({
      type: 'json_schema',
      schema: JSON.stringify(schema),
      path: 'schema',
    });
  } catch (thrown) {
    if (!(thrown instanceof TempoError && thrown.code === 'invalid_schema')) throw thrown;
    row.refused = thrown.message;
    row.blockMs = await blocks.end();
    return row;
  } finally {
    row.compileMs = performance.now() - startMs;
  }
  const masks = new Masks(vocabulary ?? bytes, machine);
  if (vocabulary !== undefined) {
    await inSlices(masks.making(machine.start), new Pace(Infinity));
    row.firstMaskMs = performance.now() - startMs;
  }
  row.blockMs = await blocks.end();
  for (const { valid, data, text } of tests) {
    const matcher = new MachineMatcher(vocabulary ?? bytes, machine, masks);
    const written = await follow(matcher, vocabulary ?? bytes, text, vocabulary && row);
    if (valid) row.valid++;
    else row.invalid++;
    if (written && !valid) row.wrong.push(text);
    if (!written && valid) {
      row.lost.push(text);
      if (canBeWritten(machine, data)) row.lostByOrder++;
    }
  }
  return row;
}

/** How long a step may wait for masks, ms; as in the engine. */
const QUICK_MS = 2;

/** Whether a text can be written; where times are kept, a mask is made for each token. */
async function follow(
  matcher: MachineMatcher,
  vocabulary: Vocabulary,
  text: string,
  times: Pick<Row, 'masksMs' | 'waitsMs'> | undefined,
): Promise<boolean> {
  for (const token of [...tokenized(text, vocabulary), vocabulary.stopTokens[0]]) {
    if (times !== undefined) {
      const startMs = performance.now();
      const startCpuMs = cpuMs();
      const late = matcher.prepare(startMs + QUICK_MS);
      const waitedMs = cpuMs() - startCpuMs;
      if (late !== undefined) await late;
      const readyMs = cpuMs();
      matcher.nextBitmask();
      times.masksMs.push(performance.now() - startMs);
      times.waitsMs.push(waitedMs + cpuMs() - readyMs);
    }
    if (!matcher.accept(token)) return false;
  }
  return true;
}

/** The longest token that fits, again and again. */
function tokenized(text: string, { all }: Vocabulary): number[] {
  const rest = new TextEncoder().encode(text);
  const tokens: number[] = [];
  for (let at = 0; at < rest.length; ) {
    let node = -1;
    let best = { token: -1, length: 1 };
    for (let i = at; i < rest.length; i++) {
      const child = all.child(node, rest[i]);
      if (child === undefined) break;
      node = child;
      const [token] = all.tokensAt(node);
      if (token !== undefined) best = { token, length: i + 1 - at };
    }
    tokens.push(best.token);
    at += best.length;
  }
  return tokens;
}

/** Instances that cannot be written and are named. */
const MOST_LOST = 25;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Watches how long the loop has no turn. */
class Blocks {
  #longestMs = 0;
  #lastMs = cpuMs();
  #ended = false;

  constructor() {
    this.#beat();
  }

  async end(): Promise<number> {
    this.#longestMs = Math.max(this.#longestMs, cpuMs() - this.#lastMs);
    this.#ended = true;
    return this.#longestMs;
  }

  #beat(): void {
    setImmediate(() => {
      const nowMs = cpuMs();
      this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      if (!this.#ended) this.#beat();
    });
  }
}

function report(rows: readonly Row[]): void {
  const count = (test: (row: Row) => boolean) => rows.filter(test).length;
  const share = (n: number) => `${n} (${((100 * n) / Math.max(1, rows.length)).toFixed(1)}%)`;
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  const passes = (row: Row) =>
    row.refused === undefined && row.wrong.length + row.lost.length === 0;
  console.log(`schemas      ${rows.length}`);
  console.log(`passing      ${share(count(passes))}`);
  console.log(`refused      ${share(count(({ refused }) => refused !== undefined))}`);
  console.log(`wrong        ${share(count(({ wrong }) => wrong.length > 0))}`);
  console.log(`lost         ${share(count(({ lost }) => lost.length > 0))}`);
  const [lost, order] = [sum(({ lost }) => lost.length), sum(({ lostByOrder }) => lostByOrder)];
  console.log(
    `instances    ${sum(({ wrong }) => wrong.length)} of ${sum(({ invalid }) => invalid)} invalid ones can be written, ${lost} of ${sum(({ valid }) => valid)} valid ones cannot (${order} in another order of names)`,
  );
  for (const { name, wrong } of rows)
    for (const text of wrong) console.log(`  wrong: ${name} ${cut(text)}`);
  const lists = rows.flatMap(({ name, lost }) =>
    lost.map((text) => `  lost: ${name} ${cut(text)}`),
  );
  for (const line of lists.slice(0, MOST_LOST)) console.log(line);
  const reasons = new Map<string, number>();
  for (const { refused } of rows) {
    if (refused === undefined) continue;
    const reason = refused.replace(/^\S+ /, '').replace(/\[\d+\]/g, '[…]');
    reasons.set(cut(reason), (reasons.get(cut(reason)) ?? 0) + 1);
  }
  const most = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 12);
  for (const [reason, n] of most) console.log(`  refused: ${n} × ${reason}`);
  quantiles(
    'compile',
    rows.map(({ compileMs }) => compileMs),
  );
  quantiles(
    'first mask',
    rows.flatMap(({ firstMaskMs }) => firstMaskMs ?? []),
  );
  quantiles(
    'mask',
    rows.flatMap(({ masksMs }) => masksMs),
  );
  quantiles(
    'step waits',
    rows.flatMap(({ waitsMs }) => waitsMs),
  );
  quantiles(
    'block',
    rows.map(({ blockMs }) => blockMs),
  );
}

function quantiles(name: string, values: readonly number[]): void {
  if (values.length === 0) return;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => ms(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]);
  const shown = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999].map((q) => `p${q * 100} ${at(q)}`);
  console.log(`${name.padEnd(12)} ${shown.join('  ')}  max ${at(1)}  (${values.length})`);
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(3) : value.toFixed(0)} ms`;
}

function cut(text: string): string {
  return text.length > 140 ? `${text.slice(0, 140)}…` : text;
}
