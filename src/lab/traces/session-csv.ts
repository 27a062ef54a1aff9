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
  text: Passage[];
}

/**
 * Reads sessions of agents (the columns of TraceLab's session runner): a program each, in the order of
 * their first rows. A round is one call; its prompt is the first `prefix_len` tokens of the round before
 * (prompt and answer) and `input_len` new ones, and `tool_wait_after_ms` passes before the next. Rounds
 * count from 0. Arrivals (ms) are checked and left out: they are drawn anew. Throws `invalid_request`,
 * naming file and line.
 */
export function parseSessions(records: readonly CsvRecord[], file: string): TraceProgram[] {
  const [head, ...rows] = records;
  const columns = columnsOf(head, file);
  const sessions = new Map<string, Session>();
  // Every session's text has numbers of its own.
  let next = 0;
  for (const { cells, line } of rows) {
    if (cells.length !== head.cells.length) {
      const sentence = `${head.cells.length} fields expected, got ${cells.length}: "${cells.join(',')}".`;
      throw badLine(file, line, sentence);
    }
    const cell = (name: Column) => cells[columns[name]].trim();
    const count = (name: Column, least: number): number => {
      const value = tokenCount(cell(name), least);
      if (value !== undefined) return value;
      throw badLine(
        file,
        line,
        `${name} must be a whole number from ${least}, got "${cell(name)}".`,
      );
    };
    const ms = (name: Column): number => {
      const value = cell(name) === '' ? Number.NaN : Number(cell(name));
      if (Number.isFinite(value) && value >= 0) return value;
      throw badLine(file, line, `${name} must be ms from 0, got "${cell(name)}".`);
    };

    const id = cell('session_id');
    const session = sessions.get(id) ?? { rounds: [], text: [] };
    sessions.set(id, session);
    const { rounds, text } = session;
    const round = count('round_idx', 0);
    if (round !== rounds.length) {
      const sentence = `round ${rounds.length} of session ${quoted(id)} expected, got round ${round}.`;
      throw badLine(file, line, sentence);
    }
    ms('arrival_time');
    const prefixTokens = count('prefix_len', 0);
    const inputTokens = count('input_len', prefixTokens === 0 ? 1 : 0);
    const outputTokens = count('output_len', 0);
    const before = tokensIn(text);
    if (prefixTokens > before) {
      const sentence = `prefix_len is ${prefixTokens}, but the round before has left ${before} tokens.`;
      throw badLine(file, line, sentence);
    }
    const last = rounds.at(-1);
    const answer = text.at(-1);
    if (last !== undefined && answer !== undefined && prefixTokens > last.promptTokens) {
      last.answerFrom = answer.from;
    }
    const prefix = firstTokens(text, prefixTokens);
    if (inputTokens > 0) prefix.push({ from: next, tokens: inputTokens });
    next += inputTokens;
    rounds.push({
      stage: 'round',
      promptTokens: prefixTokens + inputTokens,
      outputTokens,
      prefix,
      toolWaitMs: ms('tool_wait_after_ms'),
    });
    session.text = outputTokens > 0 ? [...prefix, { from: next, tokens: outputTokens }] : prefix;
    next += outputTokens;
  }
  return [...sessions.values()].map(({ rounds }) => rounds.map((row) => [row]));
}

/** Where each column is. */
function columnsOf({ cells, line }: CsvRecord, file: string): Record<Column, number> {
  const header = cells.map((name) => name.trim());
  const at = (name: Column) => header.indexOf(name);
  const missing = COLUMNS.filter((name) => at(name) < 0);
  if (missing.length > 0) {
    const sentence = `the header of sessions must name ${COLUMNS.join(', ')}; ${missing.join(', ')} is not there.`;
    throw badLine(file, line, sentence);
  }
  return {
    session_id: at('session_id'),
    arrival_time: at('arrival_time'),
    round_idx: at('round_idx'),
    prefix_len: at('prefix_len'),
    input_len: at('input_len'),
    output_len: at('output_len'),
    tool_wait_after_ms: at('tool_wait_after_ms'),
  };
}
