import { DEVICE_PROFILES, type DeviceProfile } from '../engine/simulated';
import { type Random, seededRandom, TempoError } from '../scheduler';
import { type ArrivalPattern, arrivalTimes } from './arrivals';
import { type BaseSlo, classAt, EQUAL_THIRDS, type Mix, PAPER_SLO, sloOf } from './objectives';
import type { Trace, TraceProgram, TraceRow } from './traces';
import { atLoad } from './work';
import { type Arrival, type Call, requestCount, type Stage, type Workload } from './workload';

export interface TraceOptions {
  /** Requests to take, members of programs counted one by one; a trace with times is not repeated. */
  requests: number;
  load: number;
  seed: number;
  mix?: Mix;
  slo?: BaseSlo;
  pattern?: ArrivalPattern;
  profile?: DeviceProfile;
}

/**
 * A workload out of a trace. Its requests are given classes by `mix` and objectives as the paper's
 * workload has them; those that fall to programs are joined, as they follow one another, to chains of
 * two to four stages of one to three calls. Times are the trace's own where it has them, Poisson (or
 * `pattern`) where not, and scaled to the load. Requests longer than the device's context are left out.
 * Whole programs begin with one that the seed draws and go on in the trace's order, round and round. They
 * have TTLT for each stage, and what their tools take on top.
 */
export function traceWorkload(trace: Trace, name: string, options: TraceOptions): Workload {
  return workloadOfTrace(trace, name, options, seededRandom(options.seed));
}

/** The same, with what is left to chance drawn from `random`. */
export function workloadOfTrace(
  trace: Trace,
  name: string,
  options: TraceOptions,
  random: Random,
): Workload {
  const profile = options.profile ?? DEVICE_PROFILES['server-8b'];
  const drafts =
    trace.kind === 'programs'
      ? programDrafts(trace.programs, profile, options, random)
      : requestDrafts(trace.rows, profile, options, random);
  if (drafts.length === 0) {
    throw new TempoError(
      'invalid_request',
      `${name}: no request fits into the ${profile.contextWindow} tokens of ${profile.name}. Use another --profile.`,
      { param: 'profile' },
    );
  }
  const timed = trace.kind === 'requests' && trace.rows[0].atMs !== undefined;
  const times = arrivalTimes(drafts.length, options.pattern ?? { kind: 'poisson' }, random);
  const arrivals = timed
    ? drafts.sort((a, b) => a.atMs - b.atMs)
    : drafts.map((draft, i) => ({ ...draft, atMs: times[i] }));
  return { name, profile, arrivals: atLoad(arrivals, profile, options.load) };
}

/** How many of a trace's requests are longer than the device's context, and so left out. */
export function tooLong(trace: Trace, profile: DeviceProfile): number {
  const rows = trace.kind === 'requests' ? trace.rows : trace.programs.flat(2);
  return rows.filter((row) => !fitsInto(row, profile)).length;
}

function requestDrafts(
  trace: readonly TraceRow[],
  profile: DeviceProfile,
  { requests, mix = EQUAL_THIRDS, slo = PAPER_SLO }: TraceOptions,
  random: Random,
): Arrival[] {
  const rows = trace.filter((row) => fitsInto(row, profile));
  const callOf = callsWith(rows);
  // Rows without a time of their own may be used again.
  const available = trace[0].atMs !== undefined ? Math.min(requests, rows.length) : requests;
  const drafts: Arrival[] = [];
  let next = 0;
  const take = () => rows[next++ % rows.length];
  while (rows.length > 0 && next < available) {
    const name = classAt(mix, random());
    const scale = 1 + Math.floor(4 * random());
    const row = take();
    const atMs = row.atMs ?? 0;
    if (name !== 'program') {
      const id = `r${drafts.length}`;
      drafts.push({
        kind: 'request',
        id,
        app: name,
        atMs,
        slo: sloOf(name, slo, scale),
        call: callOf(row, 'answer'),
      });
      continue;
    }
    const stages: Stage[] = [];
    const count = 2 + Math.floor(3 * random());
    for (let stage = 0; stage < count && (stage === 0 || next < available); stage++) {
      const calls = [callOf(stage === 0 ? row : take(), `stage-${stage}`)];
      const more = Math.floor(3 * random());
      for (let i = 0; i < more && next < available; i++)
        calls.push(callOf(take(), `stage-${stage}`));
      stages.push({ calls, thinkMs: 0 });
    }
    drafts.push(programOf(stages, atMs, drafts.length, slo, scale));
  }
  return drafts;
}

function programDrafts(
  programs: readonly TraceProgram[],
  profile: DeviceProfile,
  { requests, slo = PAPER_SLO }: TraceOptions,
  random: Random,
): Arrival[] {
  const fitting = programs.filter((program) =>
    program.flat().every((row) => fitsInto(row, profile)),
  );
  const callOf = callsWith(fitting.flat(2));
  const begin = Math.floor(fitting.length * random());
  const numbers = fitting.flat(2).reduce((most, row) => Math.max(most, endOf(row)), 0);
  const drafts: Arrival[] = [];
  for (
    let left = requests;
    left > 0 && fitting.length > 0;
    left -= requestCount(drafts.slice(-1))
  ) {
    const at = begin + drafts.length;
    const program = fitting[at % fitting.length];
    // A program that comes again is about something else.
    const shift = numbers * Math.floor(at / fitting.length);
    const stages = program.map((rows, stage) => ({
      calls: rows.map((row) => callOf(shifted(row, shift), row.stage ?? `stage-${stage}`)),
      thinkMs: Math.max(0, ...(program[stage - 1] ?? []).map(({ toolWaitMs = 0 }) => toolWaitMs)),
    }));
    drafts.push(programOf(stages, 0, drafts.length, slo, 1 + Math.floor(4 * random())));
  }
  return drafts;
}

/** One more than the largest number among the tokens of a row's texts. */
function endOf({ prefix = [], answerFrom = 0, outputTokens }: TraceRow): number {
  const ends = prefix.map(({ from, tokens }) => from + tokens);
  return Math.max(answerFrom + outputTokens, ...ends);
}

/** The row with every number of its texts `by` higher. */
function shifted(row: TraceRow, by: number): TraceRow {
  const { prefix, answerFrom } = row;
  return {
    ...row,
    prefix: prefix?.map(({ from, tokens }) => ({ from: from + by, tokens })),
    answerFrom: answerFrom === undefined ? undefined : answerFrom + by,
  };
}

function programOf(
  stages: Stage[],
  atMs: number,
  index: number,
  slo: BaseSlo,
  scale: number,
): Arrival {
  const toolsMs = stages.reduce((sum, { thinkMs }) => sum + thinkMs, 0);
  const deadlineMs = slo.ttlt * scale * stages.length + toolsMs;
  return { kind: 'program', id: `p${index}`, app: 'program', atMs, deadlineMs, stages };
}

/** Makes calls of rows. max_tokens is one for all, the next multiple of 1024 from the longest output. */
function callsWith(rows: readonly TraceRow[]): (row: TraceRow, stage: string) => Call {
  const longest = rows.reduce((max, row) => Math.max(max, row.outputTokens), 1);
  const maxTokens = 1024 * Math.ceil(longest / 1024);
  return ({ promptTokens, outputTokens, prefix, answerFrom }, stage) => ({
    stage,
    promptTokens,
    outputTokens,
    maxTokens,
    prefix,
    answerFrom,
  });
}

function fitsInto({ promptTokens, outputTokens }: TraceRow, profile: DeviceProfile): boolean {
  const pages = profile.totalPages * profile.pageSize;
  return promptTokens + outputTokens < Math.min(profile.contextWindow, pages);
}
