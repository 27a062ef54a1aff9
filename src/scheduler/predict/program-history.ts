import type { Program, ProgramStage } from '../program';

/** One stage of a recorded graph, in numbers. */
export interface StageRecord {
  label: string;
  /** Calls side by side. */
  fanOut: number;
  /** Of all its calls together. */
  promptTokens: number;
  /** Of them, those that no cached prefix covered; absent: all. */
  freshTokens?: number;
  outputTokens: number;
  /** Output tokens of its longest call: what a stage has to wait for. */
  longestTokens: number;
  /** Between the stage's end and the next one's start (tools, thinking), ms. */
  gapMs: number;
}

/** A finished program's graph. */
export interface GraphRecord {
  /** The program's objective, ms: who plans for more allows more time. */
  sloMs: number;
  stages: readonly StageRecord[];
}

/** Work that comes after a program's current stage. */
export interface RemainingWork {
  stages: number;
  calls: number;
  promptTokens: number;
  /** Of them, those that no cached prefix covers: a stage that goes on from the last has few. */
  freshTokens: number;
  outputTokens: number;
  /** Sum over the stages of their longest call's output tokens: the critical path. */
  longestTokens: number;
  /** Prompt tokens to compute along the critical path. */
  longestPromptTokens: number;
  /** Time outside the engine, ms. */
  gapMs: number;
}

/** One possible future of a program, and how likely it is held to be (weights sum to 1). */
export interface Future extends RemainingWork {
  weight: number;
}

/** Graphs to keep or to share: labels are the developer's own, the rest numbers. */
export interface GraphProfile {
  version: 1;
  graphs: Readonly<Record<string, readonly GraphRecord[]>>;
}

/** Graphs remembered per kind of program; the oldest go. */
const MEMORY = 96;
/** Kinds of program remembered, and stages of one. */
const MAX_KINDS = 128;
const MAX_STAGES = 128;
/** Stages of all graphs of a kind, and of all that are passed on. */
const MAX_KIND_STAGES = 2048;
const MAX_EXPORT_STAGES = 2048;
/** Nearest matches that make a forecast. */
const NEAREST = 12;
/** Below this many graphs of a kind, programs that still run are matched with as well. */
const ENOUGH = 24;
/** Share of a program's time that its work is guessed to take when nothing is known. */
const GUESSED_SHARE = 0.4;
const TYPICAL_TOKEN_MS = 25;
/** How much a step of difference in position counts, beside a stage label that differs (1). */
const POSITION_PENALTY = 0.35;

const NO_WORK: RemainingWork = {
  stages: 0,
  calls: 0,
  promptTokens: 0,
  freshTokens: 0,
  outputTokens: 0,
  longestTokens: 0,
  longestPromptTokens: 0,
  gapMs: 0,
};

/** Nothing is still to come, for certain. */
export const NO_FUTURE: Future = { ...NO_WORK, weight: 1 };

interface Recorded extends GraphRecord {
  /** Work after stage i. */
  after: readonly RemainingWork[];
}

interface Forecast {
  /** What of the program it was made from: a new call makes it stale. */
  calls: number;
  futures: readonly Future[];
}

/**
 * Records the graphs of programs and forecasts what is still to come of those that run, by matching
 * the part seen so far against them (arXiv 2504.20068, section 4.1, dependency-graph matching).
 * A program may be matched at any position of a recorded one, so loops of any length and stages
 * that were skipped find their like; a stage that never comes has a future of less weight.
 */
export class ProgramHistory {
  readonly #kinds = new Map<string, Recorded[]>();
  readonly #live = new Map<string, Set<Program>>();
  readonly #forecasts = new WeakMap<Program, Forecast>();

  /** A program has started: as far as it has come, it tells something, too. */
  expect(program: Program): void {
    let live = this.#live.get(program.kind);
    if (live === undefined) {
      live = new Set();
      this.#live.set(program.kind, live);
    }
    live.add(program);
  }

  /** Learns from a program that has ended, unless one of its calls did not finish. */
  record(program: Program): void {
    this.forget(program);
    if (program.calls.length === 0) return;
    if (program.calls.some((call) => call.end?.kind !== 'finished')) return;
    const stages = program.stages.map((stage, i) => stageOf(stage, program.stages[i + 1]));
    this.#add(program.kind, { sloMs: program.sloMs, stages });
  }

  /** A program is over, and nothing is to be learnt from it. */
  forget(program: Program): void {
    const live = this.#live.get(program.kind);
    live?.delete(program);
    if (live?.size === 0) this.#live.delete(program.kind);
  }

  /**
   * What may come after the program's current stage, least work first. Kept until the program's next
   * call. Without history: work that takes a good part of the time its owner allows, at `tokenMs`
   * a token.
   */
  futures(program: Program, tokenMs = TYPICAL_TOKEN_MS): readonly Future[] {
    const kept = this.#forecasts.get(program);
    if (kept !== undefined && kept.calls === program.calls.length) return kept.futures;
    const futures = this.#match(program, tokenMs);
    this.#forecasts.set(program, { calls: program.calls.length, futures });
    return futures;
  }

  export(): GraphProfile {
    const graphs = Object.fromEntries(
      Array.from(this.#kinds, ([kind, records]) => {
        let from = records.length;
        let room = MAX_EXPORT_STAGES / this.#kinds.size;
        while (from > 0 && records[from - 1].stages.length <= room) {
          room -= records[--from].stages.length;
        }
        return [kind, records.slice(from).map(({ sloMs, stages }) => ({ sloMs, stages }))];
      }),
    );
    return { version: 1, graphs };
  }

  /** Adds what another page or user has learnt to what is known here. */
  merge(profile: GraphProfile): void {
    for (const [kind, records] of Object.entries(profile.graphs)) {
      for (const record of records) if (record.stages.length > 0) this.#add(kind, record);
    }
  }

  #add(kind: string, record: GraphRecord): void {
    let records = this.#kinds.get(kind);
    if (records === undefined) {
      records = [];
      if (this.#kinds.size >= MAX_KINDS) this.#kinds.delete(this.#leastKnown());
      this.#kinds.set(kind, records);
    }
    const stages = record.stages.slice(0, MAX_STAGES);
    records.push({ sloMs: record.sloMs, stages, after: workAfter(stages) });
    let length = records.reduce((sum, { stages: { length } }) => sum + length, 0);
    while (records.length > MEMORY || length > MAX_KIND_STAGES) {
      length -= records.shift()?.stages.length ?? length;
    }
  }

  #leastKnown(): string {
    let [least] = this.#kinds;
    for (const entry of this.#kinds) if (entry[1].length < least[1].length) least = entry;
    return least[0];
  }

  #match(program: Program, tokenMs: number): readonly Future[] {
    const stage = program.stages.at(-1);
    if (stage === undefined) return [NO_FUTURE];
    const seen = program.stages.map((each) => stageOf(each, undefined));
    const at = seen.length - 1;
    const guess = firstGuess(program, seen[at], tokenMs);
    const finished = this.#kinds.get(program.kind) ?? [];
    const records =
      finished.length >= ENOUGH
        ? finished
        : [...finished, ...this.#unfinished(program, seen.length, tokenMs)];
    if (records.length === 0) return [guess];

    const matches: { distance: number; after: RemainingWork }[] = [];
    for (const record of records) {
      // The best place in this graph for the stage that runs now.
      let best: { distance: number; after: RemainingWork } | undefined;
      const apart = 0.7 * Math.min(1.5, Math.abs(Math.log2(record.sloMs / program.sloMs)));
      for (let i = 0; i < record.stages.length; i++) {
        let distance = apart + POSITION_PENALTY * Math.abs(i - at);
        if (best !== undefined && distance >= best.distance) continue;
        distance += stageDistance(seen[at], record.stages[i], false);
        for (let back = 1; back <= Math.min(at, i, 3); back++) {
          distance += stageDistance(seen[at - back], record.stages[i - back], true) / (1 + back);
        }
        if (best === undefined || distance < best.distance) {
          best = { distance, after: record.after[i] };
        }
      }
      if (best !== undefined) matches.push(best);
    }
    matches.sort((a, b) => a.distance - b.distance);
    const nearest = matches.slice(0, NEAREST);
    const weights = nearest.map(({ distance }) => 1 / (0.3 + distance) ** 2);
    // Little history: the first guess still has a say.
    const guessWeight = weights[0] / (1 + records.length);
    const total = weights.reduce((sum, weight) => sum + weight, guessWeight);
    const futures = nearest.map(({ after }, i) => ({ ...after, weight: weights[i] / total }));
    futures.push({ ...guess, weight: guessWeight / total });
    return futures.sort(leastFirst);
  }

  /** Programs of this kind that run and have come further, their ends guessed. */
  #unfinished(program: Program, stages: number, tokenMs: number): Recorded[] {
    const records: Recorded[] = [];
    let looked = 0;
    for (const other of this.#live.get(program.kind) ?? []) {
      if (records.length >= ENOUGH || looked++ >= MEMORY) break;
      if (other === program || other.stages.length <= stages) continue;
      const seen = other.stages.map((stage, i) => stageOf(stage, other.stages[i + 1]));
      const last = seen[seen.length - 1];
      // How much further it will go is anybody's guess; it gets less unlikely to end the longer it is.
      const rest = scaled(firstGuess(other, last, tokenMs), 1 / (1 + seen.length));
      const after = workAfter(seen).map((work) => sum(work, rest));
      records.push({ sloMs: other.sloMs, stages: seen, after });
    }
    return records;
  }
}

const WORK_KEYS = [
  'stages',
  'calls',
  'promptTokens',
  'freshTokens',
  'outputTokens',
  'longestTokens',
  'longestPromptTokens',
  'gapMs',
] as const satisfies readonly (keyof RemainingWork)[];

function stageOf(stage: ProgramStage, next: ProgramStage | undefined): StageRecord {
  let promptTokens = 0;
  let freshTokens = 0;
  let outputTokens = 0;
  let longestTokens = 0;
  for (const call of stage.calls) {
    promptTokens += call.promptTokens;
    freshTokens += call.promptTokens - call.cachedTokens;
    outputTokens += call.generated;
    longestTokens = Math.max(longestTokens, call.generated);
  }
  const gapMs =
    next === undefined || stage.endMs === undefined ? 0 : Math.max(0, next.startMs - stage.endMs);
  return {
    label: stage.label,
    fanOut: stage.fanOut,
    promptTokens,
    freshTokens,
    outputTokens,
    longestTokens,
    gapMs,
  };
}

function workAfter(stages: readonly StageRecord[]): RemainingWork[] {
  const after: RemainingWork[] = [];
  let work = NO_WORK;
  for (let i = stages.length - 1; i >= 0; i--) {
    after[i] = { ...work, gapMs: work.gapMs + stages[i].gapMs };
    const { fanOut, promptTokens, outputTokens, longestTokens } = stages[i];
    const freshTokens = freshOf(stages[i]);
    work = {
      stages: work.stages + 1,
      calls: work.calls + fanOut,
      promptTokens: work.promptTokens + promptTokens,
      freshTokens: work.freshTokens + freshTokens,
      outputTokens: work.outputTokens + outputTokens,
      longestTokens: work.longestTokens + longestTokens,
      longestPromptTokens: work.longestPromptTokens + freshTokens / fanOut,
      gapMs: after[i].gapMs,
    };
  }
  return after;
}

function freshOf({ freshTokens, promptTokens }: StageRecord): number {
  return freshTokens ?? promptTokens;
}

function leastFirst(a: Future, b: Future): number {
  return a.outputTokens - b.outputTokens || a.promptTokens - b.promptTokens;
}

/** How unlike two stages are; outputs count only where both have ended. */
function stageDistance(a: StageRecord, b: StageRecord, ended: boolean): number {
  let distance = a.label === b.label ? 0 : 1;
  distance += 0.5 * Math.abs(Math.log2(a.fanOut / b.fanOut));
  distance += 0.25 * Math.abs(Math.log2((1 + a.promptTokens) / (1 + b.promptTokens)));
  if (ended) distance += 0.25 * Math.abs(Math.log2((1 + a.outputTokens) / (1 + b.outputTokens)));
  return distance;
}

/** Knowing nothing: whoever sets a deadline leaves a few times as long as the work takes. */
function firstGuess(program: Program, stage: StageRecord, tokenMs: number): Future {
  const allowed = (GUESSED_SHARE * program.sloMs) / tokenMs;
  const longestTokens = Math.min(4096, Math.max(128, allowed, stage.longestTokens));
  return {
    weight: 1,
    stages: 2,
    calls: 1 + stage.fanOut,
    promptTokens: stage.promptTokens + longestTokens,
    freshTokens: freshOf(stage) + longestTokens,
    outputTokens: longestTokens,
    longestTokens,
    longestPromptTokens: freshOf(stage) / stage.fanOut + longestTokens,
    gapMs: 0,
  };
}

function scaled(work: RemainingWork, factor: number): RemainingWork {
  const out = { ...NO_WORK };
  for (const key of WORK_KEYS) out[key] = factor * work[key];
  return out;
}

function sum(a: RemainingWork, b: RemainingWork): RemainingWork {
  const out = { ...NO_WORK };
  for (const key of WORK_KEYS) out[key] = a[key] + b[key];
  return out;
}
