/** Readers for trace files: lengths, times and shared prefixes of real workloads. No text. */
import { TempoError } from '../../scheduler';
import { parseCsv } from './csv';
import { parseMooncake } from './mooncake';
import { parseProgramJson } from './program-json';
import type { Trace } from './trace-row';

export * from './csv';
export * from './mooncake';
export * from './program-json';
export * from './trace-row';

/**
 * Reads a trace by the end of its file's name: `.csv`, `.jsonl` (Mooncake) or `.json` (programs). A
 * trace is read whole or not at all. Throws `invalid_request`, naming the file and the line.
 */
export function parseTrace(text: string, file: string): Trace {
  const trace = parse(text, file);
  const count = trace.kind === 'requests' ? trace.rows.length : trace.programs.length;
  if (count === 0) {
    throw new TempoError('invalid_request', `${file}: there is nothing in it.`, { param: 'trace' });
  }
  return trace;
}

function parse(text: string, file: string): Trace {
  if (file.endsWith('.csv')) return { kind: 'requests', rows: parseCsv(text, file) };
  if (file.endsWith('.jsonl')) return { kind: 'requests', rows: parseMooncake(text, file) };
  if (file.endsWith('.json')) return { kind: 'programs', programs: parseProgramJson(text, file) };
  throw new TempoError(
    'invalid_request',
    `${file}: a trace is a .csv, .jsonl or .json file; see README.md, "The lab and its trace formats".`,
    { param: 'trace' },
  );
}
