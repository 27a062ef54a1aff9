import { badLine, type TraceRow, tokenCount } from './trace-row';

/** Column names for a prompt's length, an output's, and the arrival. The first that is there counts. */
const PROMPT = ['ContextTokens', 'num_prefill_tokens', 'prompt_tokens', 'input_length'];
const OUTPUT = ['GeneratedTokens', 'num_decode_tokens', 'output_tokens', 'output_length'];
const TIME = ['TIMESTAMP', 'timestamp', 'arrived_at'];

/**
 * Reads a CSV with a header line: Azure's LLM inference traces (TIMESTAMP, ContextTokens,
 * GeneratedTokens; a date and time with up to seven decimals) and plain lengths (Vidur's
 * num_prefill_tokens, num_decode_tokens; no times). A time that is a plain number is in seconds.
 * Throws `invalid_request`, naming file and line.
 */
export function parseCsv(text: string, file: string): TraceRow[] {
  const lines = text.split(/\r?\n/);
  const header = lines[0].split(',').map((name) => name.trim());
  const column = (names: readonly string[]) =>
    names.map((name) => header.indexOf(name)).find((at) => at >= 0);
  const promptAt = column(PROMPT);
  const outputAt = column(OUTPUT);
  const timeAt = column(TIME);
  if (promptAt === undefined || outputAt === undefined) {
    const wanted = `a column for prompts (${PROMPT.join(', ')}) and one for outputs (${OUTPUT.join(', ')})`;
    throw badLine(file, 1, `the header must name ${wanted}, got "${lines[0]}".`);
  }
  const rows: TraceRow[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i];
    if (line.trim() === '') continue;
    const cells = line.split(',');
    if (cells.length !== header.length) {
      throw badLine(
        file,
        i + 1,
        `${header.length} fields expected, got ${cells.length}: "${line}".`,
      );
    }
    const promptTokens = tokenCount(cells[promptAt]);
    const outputTokens = tokenCount(cells[outputAt]);
    if (promptTokens === undefined || outputTokens === undefined) {
      throw badLine(file, i + 1, `token counts must be whole numbers from 1, got "${line}".`);
    }
    if (timeAt === undefined) {
      rows.push({ promptTokens, outputTokens });
      continue;
    }
    const atMs = parseTime(cells[timeAt].trim());
    if (atMs === undefined) {
      throw badLine(file, i + 1, `"${cells[timeAt]}" is no time.`);
    }
    rows.push({ promptTokens, outputTokens, atMs });
  }
  return rows;
}

/** Seconds, or a date and time (taken for UTC), in ms. */
function parseTime(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?$/.exec(text);
  if (match === null) return undefined;
  // More decimals than a Date keeps.
  const ms = Date.parse(`${match[1]}T${match[2]}Z`) + Number(match[3] ?? 0) * 1000;
  return Number.isFinite(ms) ? ms : undefined;
}
