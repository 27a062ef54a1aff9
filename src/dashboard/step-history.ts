import type { Explanation, PolicyName, RequestTrace, Snapshot, StepTrace } from '../client';

/** One request's stretch of the timeline. */
export interface Span {
  id: string;
  app: string;
  stage: string;
  program?: string;
  /** The call of the same program before this one. */
  after?: Span;
  lane: number;
  startMs: number;
  /** Undefined while it lives. */
  endMs?: number;
  /** When the next token, or the whole, is due. */
  dueMs?: number;
  /** Undefined until it is known, or when it was stopped. */
  met?: boolean;
  /** When the first token of a stream, or the whole, was to be there. */
  firstDueMs?: number;
  /** Stretches in one state; the last goes on until the next snapshot. */
  states: { fromMs: number; state: RequestTrace['state'] }[];
  /** Stretches in which it was behind its objective; the last may still go on. */
  late: { fromMs: number; untilMs?: number }[];
  /** How it went, a few times a second. */
  moments: Moment[];
}

/** A request as it was at one time. */
export interface Moment {
  atMs: number;
  state: RequestTrace['state'];
  promptTokens: number;
  computedTokens: number;
  generatedTokens: number;
  /** How many more tokens were expected. */
  remainingTokens?: number;
  slackMs?: number;
  /** What the plan said of it. */
  line?: Explanation;
  policy: PolicyName;
}

/** What a history is told: a snapshot's part. */
export type Told = Pick<Snapshot, 'atMs' | 'policy' | 'plan' | 'capacity' | 'requests' | 'steps'>;

export interface Mark {
  atMs: number;
  text: string;
}

/** A plan explained, and whose it was. */
interface PlanTrace {
  atMs: number;
  policy: PolicyName;
  plan: readonly Explanation[];
}

/** How many requests of an app are drawn side by side: at first, and at most. More share the last lane. */
const LANES = { first: 2, most: 16 };

const KEPT_MS = 60_000;

/**
 * The last minute of steps, as the timeline draws it: snapshots go in, the canvas reads, and `version`
 * tells whether there is something new.
 */
export class StepHistory {
  readonly steps: StepTrace[] = [];
  readonly spans: Span[] = [];
  readonly marks: Mark[] = [];
  version = 0;
  /** Server's clock at the last snapshot. */
  atMs = 0;
  maxBatch = 1;
  #receivedAt = 0;
  #open = new Map<string, Span>();
  readonly #byId = new Map<string, Span>();
  /** When the requests that ended since the last snapshot had their last step. */
  readonly #leftAt = new Map<string, number>();
  readonly #lanes = new Map<string, number>();
  readonly #plans: PlanTrace[] = [];

  /** Something is running or waiting, so time goes on. */
  get live(): boolean {
    return this.#open.size > 0;
  }

  /** The server's clock now, as the page's own clock continues the last snapshot. */
  nowMs(pageNow = performance.now()): number {
    return this.atMs + Math.min(1000, pageNow - this.#receivedAt);
  }

  add(snapshot: Told, pageNow = performance.now()): void {
    // Another engine starts another clock, or none went on: what was before cannot be compared.
    if (snapshot.atMs < this.atMs) this.clear();
    const beforeMs = this.atMs;
    this.atMs = snapshot.atMs;
    this.#receivedAt = pageNow;
    // While an engine loads there is no batch; what ran before keeps its scale.
    if (snapshot.capacity.maxBatch > 0) this.maxBatch = snapshot.capacity.maxBatch;
    this.#plans.push({ atMs: snapshot.atMs, policy: snapshot.policy, plan: snapshot.plan });
    const live = new Map(snapshot.requests.map((request) => [request.id, request]));
    this.#leftAt.clear();
    for (const { endMs, work } of snapshot.steps) {
      for (const { requestId } of work)
        if (!live.has(requestId)) this.#leftAt.set(requestId, endMs);
    }
    for (const id of this.#open.keys()) {
      if (!live.has(id) && !this.#leftAt.has(id)) this.#leftAt.set(id, beforeMs);
    }
    for (const step of snapshot.steps) this.#step(step, live);
    const lines = new Map(snapshot.plan.map((line) => [line.requestId, line]));
    for (const request of snapshot.requests) {
      const span = this.#request(request, beforeMs);
      span.moments.push(momentOf(request, snapshot, lines.get(request.id)));
    }
    for (const [id, span] of this.#open) if (!live.has(id)) this.#close(span);
    this.#forget();
    this.version++;
  }

  /** Writes a line across the timeline; where no time is given, here and now. */
  mark(text: string, atMs = this.nowMs()): void {
    this.marks.push({ atMs, text });
    this.version++;
  }

  clear(): void {
    this.steps.length = 0;
    this.spans.length = 0;
    this.marks.length = 0;
    this.#plans.length = 0;
    this.#open.clear();
    this.#byId.clear();
    this.atMs = 0;
  }

  /** All that there is now; it stays as it is, whatever comes. */
  copy(): StepHistory {
    const copy = new StepHistory();
    copy.steps.push(...this.steps);
    copy.marks.push(...this.marks);
    copy.#plans.push(...this.#plans);
    for (const span of this.spans) {
      const own = {
        ...span,
        states: [...span.states],
        late: span.late.map((stretch) => ({ ...stretch })),
        moments: [...span.moments],
      };
      if (span.after) own.after = copy.#byId.get(span.after.id) ?? span.after;
      copy.spans.push(own);
      copy.#byId.set(own.id, own);
      if (this.#open.has(own.id)) copy.#open.set(own.id, own);
    }
    for (const [app, lanes] of this.#lanes) copy.#lanes.set(app, lanes);
    copy.atMs = this.atMs;
    copy.maxBatch = this.maxBatch;
    copy.#receivedAt = this.#receivedAt;
    return copy;
  }

  /** Lanes that an app's requests have needed so far. */
  lanesOf(app: string): number {
    return this.#lanes.get(app) ?? LANES.first;
  }

  /** The index of the step that ran at `atMs`, or of the last one before it; -1 when there is none. */
  indexAt(atMs: number): number {
    let low = 0;
    let high = this.steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.steps[middle].startMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** How long a step took on average since `sinceMs`, ms; undefined when none ran. */
  stepMs(sinceMs: number): number | undefined {
    const from = this.indexAt(sinceMs) + 1;
    const count = this.steps.length - from;
    let ms = 0;
    for (let i = from; i < this.steps.length; i++)
      ms += this.steps[i].endMs - this.steps[i].startMs;
    return count === 0 ? undefined : ms / count;
  }

  /** The plan that was explained nearest after `atMs`. */
  planAt(atMs: number): PlanTrace {
    const found = this.#plans.find((p) => p.atMs >= atMs) ?? this.#plans.at(-1);
    return found ?? { atMs, policy: 'tempo', plan: [] };
  }

  span(id: string): Span | undefined {
    return this.#byId.get(id);
  }

  #step(step: StepTrace, live: ReadonlyMap<string, RequestTrace>): void {
    this.steps.push(step);
    for (const { requestId, app, kind } of step.work) {
      const span =
        this.#open.get(requestId) ?? this.#start(requestId, app, step.startMs, live.get(requestId));
      span.endMs = step.endMs;
      changeState(span, step.startMs, kind);
    }
    for (const { requestId, met } of step.finished) {
      const span = this.#byId.get(requestId);
      if (span !== undefined) span.met = met;
    }
  }

  #request(request: RequestTrace, beforeMs: number): Span {
    const span =
      this.#open.get(request.id) ??
      this.#start(request.id, request.app, request.arrivalMs, request);
    span.startMs = Math.min(span.startMs, request.arrivalMs);
    span.endMs = undefined;
    span.dueMs = request.dueMs;
    if (request.generatedTokens === 0 || request.class !== 'latency') {
      span.firstDueMs = request.dueMs;
    }
    this.#judge(span);
    if (request.state === 'waiting' || request.state === 'paused') {
      changeState(span, Math.max(beforeMs, request.arrivalMs), request.state);
    }
    return span;
  }

  /** Notes since when it is behind, or that it no longer is. */
  #judge(span: Span): void {
    const { dueMs, late } = span;
    const last = late.at(-1);
    const open = last !== undefined && last.untilMs === undefined ? last : undefined;
    if (dueMs !== undefined && dueMs < this.atMs) {
      if (open === undefined) late.push({ fromMs: dueMs });
    } else if (open !== undefined) {
      const outputMs = span.endMs ?? this.atMs;
      open.untilMs = Math.max(open.fromMs, Math.min(outputMs, this.atMs));
    }
  }

  #start(id: string, app: string, startMs: number, request?: RequestTrace): Span {
    const { stage = '', program } = request ?? {};
    const after = program && this.spans.findLast((span) => span.program === program);
    const lane = this.#freeLane(app, startMs, after ? after.lane : 0);
    const span: Span = {
      id,
      app,
      stage,
      program,
      lane,
      startMs,
      states: [],
      late: [],
      moments: [],
    };
    if (after) span.after = after;
    this.spans.push(span);
    this.#open.set(id, span);
    this.#byId.set(id, span);
    return span;
  }

  /** The first lane that nobody is in, from `wanted` on; a program's calls stay in one. */
  #freeLane(app: string, startMs: number, wanted: number): number {
    const taken = new Set<number>();
    for (const span of this.#open.values()) {
      const leftAt = this.#leftAt.get(span.id) ?? Number.POSITIVE_INFINITY;
      if (span.app === app && leftAt > startMs) taken.add(span.lane);
    }
    const lanes = this.lanesOf(app);
    for (let i = 0; i < lanes; i++) {
      const lane = (wanted + i) % lanes;
      if (!taken.has(lane)) return lane;
    }
    if (lanes >= LANES.most) return lanes - 1;
    this.#lanes.set(app, 2 * lanes);
    return lanes;
  }

  #close(span: Span): void {
    span.endMs ??= this.atMs;
    const last = span.late.at(-1);
    if (last !== undefined) last.untilMs ??= span.endMs;
    else if (span.met === false && span.dueMs !== undefined && span.dueMs < span.endMs) {
      span.late.push({ fromMs: span.dueMs, untilMs: span.endMs });
    }
    this.#open.delete(span.id);
  }

  #forget(): void {
    const limit = this.atMs - KEPT_MS;
    dropWhile(this.steps, (step) => step.endMs < limit);
    dropWhile(this.spans, (span) => {
      const old = span.endMs !== undefined && span.endMs < limit;
      if (old) this.#byId.delete(span.id);
      return old;
    });
    dropWhile(this.marks, (mark) => mark.atMs < limit);
    dropWhile(this.#plans, (plan) => plan.atMs < limit);
  }
}

function momentOf(
  { state, promptTokens, computedTokens, generatedTokens }: RequestTrace,
  { atMs, policy }: Told,
  line: Explanation | undefined,
): Moment {
  const { remainingTokens, slackMs } = line ?? {};
  return {
    atMs,
    policy,
    state,
    promptTokens,
    computedTokens,
    generatedTokens,
    ...(remainingTokens !== undefined && { remainingTokens }),
    ...(slackMs !== undefined && { slackMs }),
    ...(line !== undefined && { line }),
  };
}

function changeState(span: Span, fromMs: number, state: RequestTrace['state']): void {
  if (span.states.at(-1)?.state !== state) span.states.push({ fromMs, state });
}

function dropWhile<T>(list: T[], drop: (item: T) => boolean): void {
  let count = 0;
  while (count < list.length && drop(list[count])) count++;
  if (count > 0) list.splice(0, count);
}
