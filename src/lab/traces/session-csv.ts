import type { TempoError } from '../../scheduler';
import { firstTokens, type Passage, tokensIn } from '../passage';
import type { CsvRecord } from './csv-records';
import { badLine, quoted, type TraceProgram, type TraceRow, tokenCount } from './trace-row';

/** The columns, in no particular order; others are not read. */
const COLUMNS = [
  'session_id',
  'arrival_time',
  'round_idx',
  'prefix_len',
  'input_len',
  'output_len',
  'tool_wait_after_ms',
] as const;

type Column = (typeof COLUMNS)[number];

/** Whether a CSV's header is that of sessions. */
export function isSessionHeader(header: readonly string[]): boolean {
  return header.includes('session_id') && header.includes('prefix_len');
}

/** A session so far. */
interface Session {
  rounds: TraceRow[];
  /** Its last prompt and answer: what the next round may go on from. */
  text: readonly Passage[];
}

/**
 * Reads sessions of agents (the columns of TraceLab's session runner): a program each, in the order of
 * their first rows. A round is one call; its prompt is the first `prefix_len` tokens of the round before
 * (prompt and answer) and `input_len` new ones, and `tool_wait_after_ms` passes before the next. Rounds
 * count from 0. Arrivals (ms) are checked and left out: they are drawn anew. Throws `invalid_request`,
 * naming file and line.
 */
export function parseSessions([head, ...rows]: readonly CsvRecord[], file: string): TraceProgram[] {
  const header = head.cells.map((name) => name.trim());
  const missing = COLUMNS.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    const sentence = `the header of sessions must name ${COLUMNS.join(', ')}; ${missing.join(', ')} is not there.`;
    throw badLine(file, head.line, sentence);
  }
  const sessions = new Map<string, Session>();
  // Every session's text has numbers of its own.
  let next = 0;
  for (const record of rows) {
    const cells = new Cells(record, header, file);
    const id = cells.text('session_id');
    const session = sessions.get(id) ?? { rounds: [], text: [] };
    sessions.set(id, session);
    next = addRound(session, cells, next);
  }
  return [...sessions.values()].map(({ rounds }) => rounds.map((row) => [row]));
}

/** Adds a session's next round, whose new tokens are numbered from `from` on; returns the next number that is free. */
function addRound(session: Session, cells: Cells, from: number): number {
  const { rounds, text } = session;
  const round = cells.count('round_idx', 0);
  if (round !== rounds.length) {
    const id = quoted(cells.text('session_id'));
    throw cells.mistake(`round ${rounds.length} of session ${id} expected, got round ${round}.`);
  }
  cells.ms('arrival_time');
  const prefixTokens = cells.count('prefix_len', 0);
  const inputTokens = cells.count('input_len', prefixTokens === 0 ? 1 : 0);
  const outputTokens = cells.count('output_len', 0);
  const before = tokensIn(text);
  if (prefixTokens > before) {
    const sentence = `prefix_len is ${prefixTokens}, but the round before has left ${before} tokens.`;
    throw cells.mistake(sentence);
  }
  const last = rounds.at(-1);
  if (last !== undefined && prefixTokens > last.promptTokens) last.answerFrom = text.at(-1)?.from;
  const input = { from, tokens: inputTokens };
  const prefix = [...firstTokens(text, prefixTokens), ...(inputTokens > 0 ? [input] : [])];
  rounds.push({
    stage: 'round',
    promptTokens: prefixTokens + inputTokens,
    outputTokens,
    prefix,
    toolWaitMs: cells.ms('tool_wait_after_ms'),
  });
  const answer = { from: from + inputTokens, tokens: outputTokens };
  session.text = outputTokens > 0 ? [...prefix, answer] : prefix;
  return from + inputTokens + outputTokens;
}

/** A record's cells, by their columns. */
class Cells {
  readonly #record: CsvRecord;
  readonly #header: readonly string[];
  readonly #file: string;

  constructor(record: CsvRecord, header: readonly string[], file: string) {
    this.#record = record;
    this.#header = header;
    this.#file = file;
    const { cells } = record;
    if (cells.length !== header.length) {
      throw this.mistake(
        `${header.length} fields expected, got ${cells.length}: "${cells.join(',')}".`,
      );
    }
  }

  text(name: Column): string {
    return this.#record.cells[this.#header.indexOf(name)].trim();
  }

  /** A whole number, at least `least`. */
  count(name: Column, least: number): number {
    const value = tokenCount(this.text(name), least);
    if (value !== undefined) return value;
    throw this.mistake(`${name} must be a whole number from ${least}, got "${this.text(name)}".`);
  }

  ms(name: Column): number {
    const value = this.text(name) === '' ? Number.NaN : Number(this.text(name));
    if (Number.isFinite(value) && value >= 0) return value;
    throw this.mistake(`${name} must be ms from 0, got "${this.text(name)}".`);
  }

  mistake(problem: string): TempoError {
    return badLine(this.#file, this.#record.line, problem);
  }
}
