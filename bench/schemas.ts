import { openSync, readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs';
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
import { RemoteGrammars } from '../src/engine/sampling/remote/remote-grammars';
import { SequenceSampling } from '../src/engine/sampling/sequence-sampling';
import { inSlices } from '../src/engine/sampling/sliced';
import { untilSettled } from '../src/engine/webllm/draw';
import { yieldToEventLoop } from '../src/engine/yield';
import { type GrammarSpec, seededRandom, TempoError } from '../src/scheduler';
import { canBeWritten } from '../test/schemas/followed';
import { startThread } from '../test/schemas/grammar-thread';

const USAGE = `npm run bench -- schemas --dir FOLDER [flags]
  --dir FOLDER    schemas with instances: MaskBench's data ({ schema, tests } a file) or a draft of the
                  JSON-Schema-Test-Suite (lists of { schema, tests })
  --vocab NAME    a tokenizer.json, or an installed package that holds one; also masks are made and timed,
                  in place and with a grammar worker
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
  /** What a step waited for each: the rest is done while the sequence is left out of steps. */
  waits: Wait[];
  /** The longest time that nothing else had its turn until the first mask was there. */
  blockMs: number;
  /** The same with a grammar worker, and how many masks came too late for a step. */
  apart?: { firstMaskMs: number; waits: Wait[]; blockMs: number; late: number };
}

/** What the engine's thread waited: the time, and how much of it was its own computing, ms. */
interface Wait {
  ms: number;
  ownMs: number;
}

/**
 * `npm run bench -- schemas …`: how many schemas output can be held to, whether what they allow is what
 * can be written, and how long that takes.
 */
export async function run(args: string[]): Promise<void> {
  const flags = flagsOf(args);
  if (flags === undefined) return;
  const cases = sampled(casesOf(flags.dir), flags.sample, flags.seed);
  const raw = flags.vocab === undefined ? undefined : vocabularyOf(flags.vocab);
  const vocabulary = raw && (await read(raw));
  const rows: Row[] = [];
  for (const [i, one] of cases.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K… ${i} of ${cases.length}`);
    rows.push(await judge(one, vocabulary));
  }
  if (raw !== undefined && vocabulary !== undefined) {
    const apart = await onThread(raw);
    for (const [i, row] of rows.entries()) {
      if (row.refused !== undefined) continue;
      row.apart = await judgeApart(cases[i], vocabulary, apart);
    }
    apart.dispose();
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

function vocabularyOf(name: string): GrammarVocabulary {
  const file = name.endsWith('.json') ? resolve(name) : tokenizerFile(name);
  const { model, added_tokens: added } = JSON.parse(readFileSync(file, 'utf8'));
  const tokens: string[] = [];
  for (const [text, id] of Object.entries<number>(model.vocab)) tokens[id] = text;
  for (const { id, content } of added) tokens[id] = content;
  return {
    tokens: Array.from(tokens, (token) => token ?? ''),
    encoding: model.byte_fallback === true ? 'byte_fallback' : 'byte_level',
    vocabSize: tokens.length,
    stopTokens: [tokens.length - 1],
  };
}

async function read(raw: GrammarVocabulary): Promise<Vocabulary> {
  const startMs = performance.now();
  const vocabulary = await Vocabulary.of(raw);
  console.log(
    `vocabulary   ${raw.tokens.length} tokens, read in ${ms(performance.now() - startMs)}`,
  );
  return vocabulary;
}

/** Grammars on a thread of their own, once it knows the vocabulary. */
async function onThread(raw: GrammarVocabulary): Promise<RemoteGrammars> {
  const { port } = await startThread();
  const vocabulary = {
    ...raw,
    async *tokens() {
      yield [...raw.tokens];
    },
  };
  const inPlace = () => Promise.reject(new Error('The thread has died.'));
  const grammars = new RemoteGrammars({ port, vocabulary, shared: true, inPlace });
  await grammars.check({ type: 'json' });
  return grammars;
}

function tokenizerFile(name: string): string {
  const require = createRequire(join(process.cwd(), 'package.json'));
  const folder = dirname(require.resolve(`${name}/package.json`));
  return join(folder, 'models', 'tokenizer.json');
}

const specOf = (schema: unknown): GrammarSpec => ({
  type: 'json_schema',
  schema: JSON.stringify(schema),
  path: 'schema',
});

async function judge(
  { name, schema, tests }: Case,
  vocabulary: Vocabulary | undefined,
): Promise<Row> {
  const row: Row = {
    name,
    ...{ wrong: [], lost: [], lostByOrder: 0, valid: 0, invalid: 0 },
    ...{ compileMs: 0, masksMs: [], waits: [], blockMs: 0 },
  };
  const startMs = performance.now();
  const blocks = new Blocks();
  let machine: Machine;
  try {
    machine = await compileGrammar(specOf(schema));
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
  times: Pick<Row, 'masksMs' | 'waits'> | undefined,
): Promise<boolean> {
  for (const token of [...tokenized(text, vocabulary), vocabulary.stopTokens[0]]) {
    if (times !== undefined) {
      const startMs = performance.now();
      const began = now();
      const late = matcher.prepare(startMs + QUICK_MS);
      const waited = since(began);
      if (late !== undefined) await late;
      const ready = now();
      matcher.nextBitmask();
      times.masksMs.push(performance.now() - startMs);
      times.waits.push(sum(waited, since(ready)));
    }
    if (!matcher.accept(token)) return false;
  }
  return true;
}

/** The times of the same with a grammar worker, waited for as the engine does. */
async function judgeApart(
  { schema, tests }: Case,
  vocabulary: Vocabulary,
  grammars: RemoteGrammars,
): Promise<Row['apart']> {
  const waits: Wait[] = [];
  let late = 0;
  const spec = specOf(schema);
  const startMs = performance.now();
  const blocks = new Blocks();
  await grammars.check(spec);
  const firstMaskMs = performance.now() - startMs;
  const blockMs = await blocks.end();
  for (const { text } of tests) {
    const tokens = [...tokenized(text, vocabulary), vocabulary.stopTokens[0]];
    await yieldToEventLoop();
    const matcher = await grammars.matcher(spec);
    const sampling = new SequenceSampling({
      sampling: { temperature: 0, topP: 1, seed: 0 },
      matcher,
    });
    for (const token of tokens) {
      const began = now();
      matcher.nextBitmask();
      const isAccepted = matcher.accept(token);
      const accepted = since(began);
      if (!isAccepted) break;
      await yieldToEventLoop(); // as the loop does between steps
      const planned = now();
      const settled = untilSettled([{ sampling }]);
      if (settled !== undefined) await settled;
      waits.push(sum(accepted, since(planned)));
      const wait = matcher.prepare(performance.now());
      if (wait !== undefined) late++;
      await wait;
    }
    matcher.dispose();
  }
  return { firstMaskMs, waits, blockMs, late };
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

/** The longest that a step is to wait for another's grammar, ms. */
const MOST_MS = 5;

/** Instances that cannot be written and are named. */
const MOST_LOST = 25;

/** Where Linux tells how long a thread, here the process's first, has computed. */
const schedule = (() => {
  try {
    return openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return undefined;
  }
})();
const line = Buffer.alloc(80);

/**
 * How long this thread has computed (it never sleeps while it is timed so), to a few ms, whatever else the
 * machine is doing. Elsewhere than on Linux: the time.
 */
function ownMs(): number {
  if (schedule === undefined) return performance.now();
  const length = readSync(schedule, line, 0, line.length, 0);
  return Number(line.toString('latin1', 0, length).split(' ')[0]) / 1e6;
}

const now = (): Wait => ({ ms: performance.now(), ownMs: ownMs() });
const sum = (a: Wait, b: Wait): Wait => ({ ms: a.ms + b.ms, ownMs: a.ownMs + b.ownMs });
function since(before: Wait): Wait {
  const after = now();
  return { ms: after.ms - before.ms, ownMs: after.ownMs - before.ownMs };
}

/** Watches how long the loop has no turn. */
class Blocks {
  #longestMs = 0;
  #lastMs = ownMs();
  #ended = false;

  constructor() {
    this.#beat();
  }

  async end(): Promise<number> {
    this.#longestMs = Math.max(this.#longestMs, ownMs() - this.#lastMs);
    this.#ended = true;
    return this.#longestMs;
  }

  #beat(): void {
    setImmediate(() => {
      const nowMs = ownMs();
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
  reportWaits(rows);
  const apart = rows.flatMap(({ apart }) => apart ?? []);
  if (apart.length === 0) return;
  console.log('with a grammar worker:');
  quantiles(
    'first mask',
    apart.map(({ firstMaskMs }) => firstMaskMs),
  );
  reportWaits(apart);
  const late = apart.reduce((sum, one) => sum + one.late, 0);
  console.log(`${late} masks came too late for a step, which went without`);
}

function reportWaits(rows: readonly Pick<Row, 'waits' | 'blockMs'>[]): void {
  const waits = rows.flatMap((row) => row.waits);
  quantiles(
    'step waits',
    waits.map(({ ms }) => ms),
  );
  const over = waits.filter(({ ms }) => ms > MOST_MS);
  const own = over.filter(({ ownMs }) => ownMs > MOST_MS);
  if (waits.length > 0) {
    console.log(
      `             over ${MOST_MS} ms ${over.length} of ${waits.length}, ${own.length} of them by the thread's own computing`,
    );
  }
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
