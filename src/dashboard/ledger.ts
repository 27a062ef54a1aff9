import type { PolicyName, ProgramTrace, Snapshot, StepTrace } from '../client';
import { Reign } from './reign';

/** Requests are forgotten that left without an end once there are so many more than live ones. */
const SPARE_REQUESTS = 512;
const MOST_REIGNS = 32;

/**
 * Who was in time, and how fast, of late. A request is charged to the policy under which it arrived, a
 * program to that under which it began; what another engine did is forgotten.
 */
export class Ledger {
  readonly #reigns: Reign[] = [];
  /** By request that has not ended, and by program that has not. */
  readonly #requests = new Map<string, Reign>();
  readonly #programs = new Map<string, Reign>();
  #last: Snapshot | undefined;

  /** The policy that decides now, and what it has done of late. */
  get current(): Reign | undefined {
    return this.#reigns.at(-1);
  }

  /** What the policy before it had done when it went, and what became later of the requests it left. */
  get previous(): Reign | undefined {
    return this.#reigns.at(-2);
  }

  /** Every policy that decided on this engine, by its latest turn, in the order of the first. */
  get latest(): readonly Reign[] {
    return [...new Map(this.#reigns.map((reign) => [reign.policy, reign])).values()];
  }

  add(snapshot: Snapshot): void {
    const { phase } = snapshot.state;
    if (phase !== 'ready' && phase !== 'recovering') return;
    if (this.#isOfAnother(snapshot)) this.#clear();
    const last = this.#last;
    this.#last = snapshot;
    this.#follow(snapshot.policy, snapshot.policySinceMs);
    for (const { id, arrivalMs, program } of snapshot.requests) {
      this.#charge(this.#requests, id, arrivalMs);
      if (program !== undefined) this.#charge(this.#programs, program, arrivalMs);
    }
    for (const step of snapshot.steps) this.#step(step);
    for (const program of snapshot.programs) this.#program(program);
    if (last !== undefined && snapshot.live.resident + snapshot.live.waiting > 0) {
      this.current?.active(last.atMs, snapshot.atMs);
    }
    this.#hold(snapshot);
    for (const reign of this.#reigns) reign.forget(snapshot.atMs);
    this.#forget(snapshot);
  }

  #isOfAnother(snapshot: Snapshot): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    return (
      snapshot.atMs < last.atMs ||
      snapshot.metrics.total.submitted < last.metrics.total.submitted ||
      engineOf(snapshot) !== engineOf(last)
    );
  }

  #clear(): void {
    this.#reigns.length = 0;
    this.#requests.clear();
    this.#programs.clear();
    this.#last = undefined;
  }

  #follow(policy: PolicyName, sinceMs: number): void {
    const { current } = this;
    if (current?.policy === policy && current.fromMs === sinceMs) return;
    current?.end(sinceMs);
    this.#reigns.push(new Reign(policy, sinceMs));
    if (this.#reigns.length > MOST_REIGNS) this.#reigns.shift();
  }

  #reignAt(ms: number): Reign | undefined {
    return this.#reigns.findLast(({ fromMs }) => fromMs <= ms);
  }

  #charge(all: Map<string, Reign>, id: string, sinceMs: number): Reign | undefined {
    const reign = all.get(id) ?? this.#reignAt(sinceMs);
    if (reign !== undefined) all.set(id, reign);
    return reign;
  }

  #step({ startMs, endMs, work, finished }: StepTrace): void {
    for (const { requestId, app, output } of work) {
      if (output === undefined) continue;
      this.#reignAt(startMs)?.wrote(app, endMs);
      const { index, sinceMs } = output;
      const reign =
        index === 0
          ? this.#charge(this.#requests, requestId, endMs - sinceMs)
          : this.#requests.get(requestId);
      reign?.token(app, { atMs: endMs, sinceMs, first: index === 0 });
    }
    for (const { requestId, app, class: kind, arrivalMs, met } of finished) {
      const reign = this.#charge(this.#requests, requestId, arrivalMs);
      // The whole of a program is judged, not its calls; of best effort there is nothing to judge.
      const verdict = kind === 'latency' || kind === 'deadline' ? met : undefined;
      reign?.finished(app, { atMs: endMs, tookMs: endMs - arrivalMs, met: verdict });
      this.#requests.delete(requestId);
    }
  }

  #program({ id, app, startMs, deadlineMs, endMs }: ProgramTrace): void {
    this.#reignAt(startMs)?.ended(app, { atMs: endMs, met: endMs <= deadlineMs });
    this.#programs.delete(id);
  }

  /** Notes what is late already, whatever comes: a whole after its deadline, or a first token. */
  #hold({ atMs, requests }: Snapshot): void {
    for (const reign of this.#reigns) reign.late.clear();
    const programs = new Set<string>();
    for (const { id, app, class: kind, dueMs, generatedTokens, program } of requests) {
      if (dueMs === undefined || atMs <= dueMs) continue;
      if (kind === 'latency' && generatedTokens > 0) continue; // 95% of its tokens may be in time yet
      if (program !== undefined) {
        if (programs.has(program)) continue;
        programs.add(program);
      }
      const reign = program === undefined ? this.#requests.get(id) : this.#programs.get(program);
      reign?.late.set(app, (reign.late.get(app) ?? 0) + 1);
    }
  }

  #forget({ requests, live }: Snapshot): void {
    if (this.#requests.size <= 2 * (live.resident + live.waiting) + SPARE_REQUESTS) return;
    const kept = new Set(requests.flatMap(({ id, program }) => [id, program ?? id]));
    for (const all of [this.#requests, this.#programs]) {
      for (const id of all.keys()) if (!kept.has(id)) all.delete(id);
    }
  }
}

function engineOf({ state }: Snapshot): string | undefined {
  return state.phase === 'ready' ? `${state.engine.model} on ${state.engine.device}` : undefined;
}
