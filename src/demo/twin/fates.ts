import type { RequestTrace, Snapshot } from '../../client';

/** What became of a request on its own, or of a program. */
export interface Fate {
  id: string;
  app: string;
  arrivalMs: number;
  /** Undefined while it lives. */
  endMs?: number;
  /** Whether it was in time; undefined while that is open, and for what has no objective. */
  met?: boolean;
}

/** What fates are told by. */
type Told = Pick<Snapshot, 'atMs' | 'steps' | 'programs' | 'requests'>;

/** Fates are forgotten, and tokens, that are older than this, ms. */
const KEPT_MS = 90_000;
/** The app whose work has no objective, and takes what is left. */
const BACKGROUND = 'summarizer';

/**
 * What becomes of requests, by snapshots: the live engine's, or a replay's. Whatever is late is so as soon
 * as it can no longer be in time.
 */
export class Fates {
  readonly #fates = new Map<string, Fate>();
  readonly #nameOf: (id: string) => string | undefined;
  #live = new Map<string, { program: boolean; due: boolean }>();
  /** When background tokens were written. */
  #background: number[] = [];

  /** `nameOf`: what a request or program is called here; what has no name is left out. */
  constructor(nameOf: (id: string) => string | undefined = (id) => id) {
    this.#nameOf = nameOf;
  }

  get all(): Fate[] {
    return [...this.#fates.values()];
  }

  get(id: string): Fate | undefined {
    return this.#fates.get(id);
  }

  clear(): void {
    this.#fates.clear();
    this.#live.clear();
    this.#background = [];
  }

  /** Background tokens per second from here to there, ms. */
  backgroundPerSecond(fromMs: number, untilMs: number): number {
    const count = this.#background.filter((ms) => ms > fromMs && ms <= untilMs).length;
    return untilMs > fromMs ? (count * 1000) / (untilMs - fromMs) : 0;
  }

  add({ atMs, steps, programs, requests }: Told): void {
    const finished = new Set<string>();
    for (const { endMs, work, finished: ended } of steps) {
      for (const { app, output } of work) {
        if (app === BACKGROUND && output !== undefined) this.#background.push(endMs);
      }
      for (const { requestId, app, class: kind, arrivalMs, met } of ended) {
        finished.add(requestId);
        if (kind === 'program') continue; // the whole is judged, not its calls
        const fate = this.#fate(requestId, app, arrivalMs);
        if (fate === undefined) continue;
        fate.endMs = endMs;
        if (kind !== 'best-effort') fate.met = met;
      }
    }
    for (const { id, app, startMs, deadlineMs, endMs } of programs) {
      const fate = this.#fate(id, app, startMs);
      if (fate === undefined) continue;
      fate.endMs = endMs;
      fate.met = endMs <= deadlineMs;
    }
    const live = new Map<string, { program: boolean; due: boolean }>();
    for (const request of requests) {
      const { id, app, program, arrivalMs, dueMs } = request;
      const fate = this.#fate(program ?? id, app, arrivalMs);
      if (fate === undefined) continue;
      live.set(id, { program: program !== undefined, due: dueMs !== undefined });
      if (isLate(request, atMs)) fate.met ??= false;
    }
    for (const [id, { program, due }] of this.#live) {
      if (live.has(id) || finished.has(id) || program) continue;
      const fate = this.#fates.get(this.#nameOf(id) ?? '');
      if (fate === undefined || fate.endMs !== undefined) continue;
      fate.endMs = atMs; // its visitor has left
      if (due) fate.met = false;
    }
    this.#live = live;
    this.#forget(atMs - KEPT_MS);
  }

  #fate(told: string, app: string, arrivalMs: number): Fate | undefined {
    const id = this.#nameOf(told);
    if (id === undefined) return undefined;
    let fate = this.#fates.get(id);
    if (fate === undefined) {
      fate = { id, app, arrivalMs };
      this.#fates.set(id, fate);
    }
    return fate;
  }

  #forget(limitMs: number): void {
    for (const [id, { arrivalMs }] of this.#fates) {
      if (arrivalMs >= limitMs) break;
      this.#fates.delete(id);
    }
    const from = this.#background.findIndex((ms) => ms >= limitMs);
    if (from > 0) this.#background.splice(0, from);
  }
}

/** Whether it can no longer be in time: a stream may have 5% of its tokens late. */
function isLate({ slo, dueMs, generatedTokens, maxTokens }: RequestTrace, nowMs: number): boolean {
  if (dueMs === undefined || dueMs >= nowMs) return false;
  if (slo.class !== 'latency' || generatedTokens === 0) return true;
  return (nowMs - dueMs) / slo.tbt > 0.05 * maxTokens;
}
