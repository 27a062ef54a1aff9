import type { CsvRecord } from './csv-records';
import { isDateTime, parseTime } from './time';
import { badLine, type TraceRow, tokenCount } from './trace-row';

/** Column names for a prompt's length, an output's, and the arrival. The first that is there counts. */
const PROMPT = ['ContextTokens', 'num_prefill_tokens', 'prompt_tokens', 'input_length'];
const OUTPUT = ['GeneratedTokens', 'num_decode_tokens', 'output_tokens', 'output_length'];
const TIME = ['TIMESTAMP', 'arrived_at'];

/** What a column of arrivals may be called, and what one of durations is. */
const LIKE_A_TIME =
  /time|date|arriv|stamp|creat|submi|issue|epoch|(?:^|_)(?:ts|at|t|start|begin|sent|received|when)(?:$|_)/i;
const LIKE_A_DURATION = /time_?to|ttft|tbt|tpot|latency|duration|elapsed|per_|_per/i;

/**
 * Reads a CSV's records, a header line first: Azure's LLM inference traces (TIMESTAMP, ContextTokens,
 * GeneratedTokens; a date and time with up to seven decimals) and plain lengths (Vidur's
 * num_prefill_tokens, num_decode_tokens; no times). A time that is a plain number is in seconds.
 * Throws `invalid_request`, naming file and line; a column that looks like an arrival and is not read is
 * named, too.
 */
export function parseCsv([head, ...records]: readonly CsvRecord[], file: string): TraceRow[] {
  const header = head?.cells.map((name) => name.trim()) ?? [];
  const promptAt = columnOf(header, PROMPT);
  const outputAt = columnOf(header, OUTPUT);
  const timeAt = columnOf(header, TIME);
  if (promptAt === undefined || outputAt === undefined) {
    const wanted = `a column for prompts (${PROMPT.join(', ')}) and one for outputs (${OUTPUT.join(', ')})`;
    throw badLine(file, 1, `the header must name ${wanted}, got "${header.join(',')}".`);
  }
  const first = records[0]?.cells ?? [];
  const unread = header.find(
    (name, at) =>
      isDateTime(first[at] ?? '') || (LIKE_A_TIME.test(name) && !LIKE_A_DURATION.test(name)),
  );
  if (timeAt === undefined && unread !== undefined) {
    throw badLine(
      file,
      head.line,
      `the column "${unread}" looks like times of arrival and would not be read. Call it ${TIME.join(' or ')}, or leave it out.`,
    );
  }
  return records.map(({ cells, line }) => {
    const said = cells.join(',');
    if (cells.length !== header.length) {
      throw badLine(
        file,
        line,
        `${header.length} fields expected, got ${cells.length}: "${said}".`,
      );
    }
    const promptTokens = tokenCount(cells[promptAt]);
    const outputTokens = tokenCount(cells[outputAt], 0);
    if (promptTokens === undefined || outputTokens === undefined) {
      throw badLine(file, line, `token counts must be whole numbers from 1, got "${said}".`);
    }
    if (timeAt === undefined) return { promptTokens, outputTokens };
    const atMs = parseTime(cells[timeAt].trim());
    if (atMs === undefined) throw badLine(file, line, `"${cells[timeAt]}" is no time.`);
    return { promptTokens, outputTokens, atMs };
  });
}

/** Where one of the names stands, however it is capitalized. */
function columnOf(header: readonly string[], names: readonly string[]): number | undefined {
  const lower = header.map((name) => name.toLowerCase());
  return names.map((name) => lower.indexOf(name.toLowerCase())).find((at) => at >= 0);
}
