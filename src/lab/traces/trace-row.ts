import { TempoError } from '../../scheduler';
import type { Passage } from '../passage';

/** A request of a trace: lengths, and what else the format knows. */
export interface TraceRow {
  promptTokens: number;
  outputTokens: number;
  /** What for, within its program; absent where a format does not say. */
  stage?: string;
  /** ms, on the trace's own clock; absent where a format has no times. */
  atMs?: number;
  /** The passages that the prompt begins with. */
  prefix?: readonly Passage[];
  /** Number of the answer's first token, where a later prompt goes on from the answer. */
  answerFrom?: number;
  /** Time that its program takes after it before it goes on, ms: tools. */
  toolWaitMs?: number;
}

/** Stages of parallel calls, in order. */
export type TraceProgram = readonly (readonly TraceRow[])[];

/** What a trace file holds: requests, or whole programs. */
export type Trace = (
  | { kind: 'requests'; rows: readonly TraceRow[] }
  | { kind: 'programs'; programs: readonly TraceProgram[] }
) & {
  /** Requests without output, which are left out; absent where there were none. */
  withoutOutput?: number;
};

/** The error for a line that cannot be read: nothing of the file is used. `line` counts from 1. */
export function badLine(file: string, line: number, problem: string): TempoError {
  return new TempoError('invalid_request', `${file}, line ${line}: ${problem}`, { param: 'trace' });
}

/** A value of a file as an error can quote it: anything may be in there, as deep and long as it likes. */
export function quoted(value: unknown): string {
  try {
    const json = JSON.stringify(value) ?? String(value);
    return json.length > 80 ? `${json.slice(0, 80)}…` : json;
  } catch {
    return 'something nested too deep';
  }
}

/** A whole number of tokens, at least `least`; undefined if `value` is none. */
export function tokenCount(value: unknown, least = 1): number | undefined {
  const count = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(count) && Number(count) >= least ? Number(count) : undefined;
}
