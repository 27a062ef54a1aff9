/** Readers for trace files: lengths, times and shared prefixes of real workloads. No text. */
import { TempoError } from '../../scheduler';
import { parseCsv } from './csv';
import { csvRecords } from './csv-records';
import { parseMooncake } from './mooncake';
import { parseProgramJson } from './program-json';
import { isSessionHeader, parseSessions } from './session-csv';
import type { Trace, TraceRow } from './trace-row';

export * from './csv';
export * from './mooncake';
export * from './program-json';
export * from './session-csv';
export * from './trace-row';

export interface TraceReading {
  /** Tokens of a block of Mooncake's `hash_ids`. Default 512. */
  blockTokens?: number;
}

/**
 * Reads a trace by the end of its file's name: `.csv` (requests; sessions, where the header says so),
 * `.jsonl` (Mooncake) or `.json` (programs). A trace is read whole or not at all, but for requests without output, which are counted. Throws
 * `invalid_request`, naming the file and the line.
 */
export function parseTrace(text: string, file: string, reading: TraceReading = {}): Trace {
  const trace = withOutput(parse(text.replace(/^\uFEFF/, ''), file, reading));
  const count = trace.kind === 'requests' ? trace.rows.length : trace.programs.length;
  if (count === 0) {
    throw new TempoError('invalid_request', `${file}: there is nothing in it.`, { param: 'trace' });
  }
  return trace;
}

function parse(text: string, file: string, { blockTokens }: TraceReading): Trace {
  const name = file.toLowerCase();
  if (name.endsWith('.csv')) {
    const records = csvRecords(text, file);
    const header = records[0]?.cells.map((column) => column.trim()) ?? [];
    return isSessionHeader(header)
      ? { kind: 'programs', programs: parseSessions(records, file) }
      : { kind: 'requests', rows: parseCsv(records, file) };
  }
  if (name.endsWith('.jsonl')) {
    return { kind: 'requests', rows: parseMooncake(text, file, blockTokens) };
  }
  if (name.endsWith('.json')) return { kind: 'programs', programs: parseProgramJson(text, file) };
  throw new TempoError(
    'invalid_request',
    `${file}: a trace is a .csv, .jsonl or .json file; see README.md, "The lab and its trace formats".`,
    { param: 'trace' },
  );
}

/** The trace without the requests that were answered nothing. */
function withOutput(trace: Trace): Trace {
  const hasOutput = ({ outputTokens }: TraceRow) => outputTokens > 0;
  const all = trace.kind === 'requests' ? trace.rows : trace.programs.flat(2);
  const withoutOutput = all.length - all.filter(hasOutput).length;
  if (withoutOutput === 0) return trace;
  if (trace.kind === 'requests') {
    return { ...trace, rows: trace.rows.filter(hasOutput), withoutOutput };
  }
  const programs = trace.programs
    .map((stages) =>
      stages.map((calls) => calls.filter(hasOutput)).filter((calls) => calls.length > 0),
    )
    .filter((stages) => stages.length > 0);
  return { ...trace, programs, withoutOutput };
}
