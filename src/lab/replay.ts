import { SimulatedClock, SimulatedExecutor } from '../engine/simulated';
import {
  type EngineCapabilities,
  type GainConfig,
  type KvState,
  type Policy,
  type Program,
  type Request,
  type RequestHost,
  type RequestSpec,
  runStep,
  Scheduler,
  TempoError,
} from '../scheduler';
import { answerIds, promptIds } from './prompt';
import type { Arrival, Call, ProgramArrival, Stage, Workload } from './workload';

export interface ReplayOptions {
  policy: Policy;
  gain?: Partial<GainConfig>;
  capabilities?: Partial<EngineCapabilities>;
  /** GPU share guaranteed to best-effort work; see `SchedulerOptions`. */
  bestEffortShare?: number;
  /** Stops at this time, ms, with what is under way left as it is. Default: at the last token. */
  untilMs?: number;
  /** Hears of everything that happens. */
  watch?: ReplayWatcher;
}

/** What happens in a replay, as it happens. Times in ms of the virtual clock. */
export interface ReplayWatcher {
  submitted?(request: Request, scheduler: Scheduler): void;
  token?(request: Request, nowMs: number): void;
  finished?(request: Request, scheduler: Scheduler): void;
  /** `gain`: what the program earned. */
  programEnded?(program: Program, gain: number, scheduler: Scheduler): void;
}

/**
 * Replays a workload through a policy on the simulated engine, in virtual time, to the last token.
 * Returns the scheduler with its metrics. Deterministic.
 */
export async function replay(workload: Workload, options: ReplayOptions): Promise<Scheduler> {
  const clock = new SimulatedClock();
  const engine = new SimulatedExecutor({
    profile: workload.profile,
    clock,
    capabilities: options.capabilities,
  });
  const scheduler = new Scheduler({
    policy: options.policy,
    engine,
    costs: engine.costs,
    gain: options.gain,
    maxWaiting: Number.POSITIVE_INFINITY,
    bestEffortShare: options.bestEffortShare,
  });
  const client = new Client(workload.arrivals, scheduler, engine.kv, options.watch);
  const { untilMs = Number.POSITIVE_INFINITY } = options;
  while (clock.now() < untilMs) {
    client.submitDue(clock.now());
    const step = await runStep(scheduler, engine, client, clock);
    if (step !== null) {
      client.settle(step.endMs);
      continue;
    }
    // The scheduler never rests while somebody waits: all that is left is yet to come.
    const { nextMs } = client;
    if (nextMs !== undefined) clock.advanceTo(nextMs);
    else if (scheduler.live === 0) return scheduler;
    else {
      const waiting = `${scheduler.live} requests wait`;
      throw new TempoError(
        'engine_failed',
        `${options.policy.name} runs nothing while ${waiting}.`,
      );
    }
  }
  return scheduler;
}

/** A program under way. */
interface Course {
  arrival: ProgramArrival;
  program: Program;
  /** The stage that runs, or comes next. */
  stage: number;
  /** Its calls that have not ended. */
  open: number;
}

/** A call under way, and its number among all calls. */
interface Asked {
  call: Call;
  number: number;
}

interface Event {
  atMs: number;
  submit(nowMs: number): void;
}

/** Stands for everybody who asks: submits what is due, and a program's next stage when the last is done. */
class Client implements RequestHost {
  readonly #scheduler: Scheduler;
  readonly #watch: ReplayWatcher;
  readonly #arrivals: readonly Arrival[];
  #next = 0;
  /** Later stages of programs, soonest last. */
  readonly #later: Event[] = [];
  readonly #calls = new Map<string, Asked>();
  readonly #kv: KvState;
  #asked = 0;
  readonly #courses = new Map<string, Course>();
  readonly #finishing: Request[] = [];

  constructor(
    arrivals: readonly Arrival[],
    scheduler: Scheduler,
    kv: KvState,
    watch: ReplayWatcher = {},
  ) {
    this.#kv = kv;
    this.#arrivals = arrivals;
    this.#scheduler = scheduler;
    this.#watch = watch;
  }

  /** When something is submitted next, ms; undefined when nothing is known to come. */
  get nextMs(): number | undefined {
    const arrival = this.#arrivals[this.#next]?.atMs;
    const later = this.#later.at(-1)?.atMs;
    if (arrival === undefined || later === undefined) return arrival ?? later;
    return Math.min(arrival, later);
  }

  submitDue(nowMs: number): void {
    for (let at = this.nextMs; at !== undefined && at <= nowMs; at = this.nextMs) {
      if (this.#later.at(-1)?.atMs === at) this.#later.pop()?.submit(at);
      else this.#submitArrival(this.#arrivals[this.#next++]);
    }
  }

  sequence(request: Request) {
    const { call, number } = this.#askedFor(request);
    return {
      id: request.id,
      tokens: promptIds(call, number, request.generated),
      promptTokens: request.promptTokens,
      sampling: { temperature: 0, topP: 1, seed: 0 },
      script: { length: call.outputTokens, tokens: answerIds(call) },
    };
  }

  token(request: Request, _sampled: unknown, nowMs: number) {
    this.#watch.token?.(request, nowMs);
    if (request.generated < this.#askedFor(request).call.outputTokens) return null;
    this.#finishing.push(request);
    return 'stop' as const;
  }

  failed(request: Request, error: TempoError): void {
    throw new TempoError('engine_failed', `${request.id}: ${error.message}`, { cause: error });
  }

  /** Goes on where requests finished in the step that is over. */
  settle(nowMs: number): void {
    for (const request of this.#finishing.splice(0)) {
      this.#calls.delete(request.id);
      this.#watch.finished?.(request, this.#scheduler);
      const course = request.program && this.#courses.get(request.program.id);
      if (course !== undefined && --course.open === 0) this.#advance(course, nowMs);
    }
  }

  #advance(course: Course, nowMs: number): void {
    const next = course.arrival.stages[++course.stage];
    if (next === undefined) {
      this.#courses.delete(course.program.id);
      const gain = this.#scheduler.endProgram(course.program, nowMs);
      this.#watch.programEnded?.(course.program, gain, this.#scheduler);
      return;
    }
    const event = {
      atMs: nowMs + next.thinkMs,
      submit: (atMs: number) => this.#submitStage(course, next, atMs),
    };
    let at = this.#later.length;
    while (at > 0 && this.#later[at - 1].atMs <= event.atMs) at--;
    this.#later.splice(at, 0, event);
  }

  #submitArrival(arrival: Arrival): void {
    if (arrival.kind === 'request') {
      const { id, app, slo, call, atMs } = arrival;
      this.#submit(call, { id, app, slo }, atMs);
      return;
    }
    const { id, app, deadlineMs, atMs } = arrival;
    const stages = arrival.stages.map((stage) => stage.calls);
    const program = this.#scheduler.startProgram({ id, app, deadlineMs, truth: { stages } }, atMs);
    const course: Course = { arrival, program, stage: 0, open: 0 };
    this.#courses.set(id, course);
    this.#submitStage(course, arrival.stages[0], atMs);
  }

  #submitStage(course: Course, { calls }: Stage, atMs: number): void {
    const { arrival, program, stage } = course;
    course.open = calls.length;
    for (const [i, call] of calls.entries()) {
      const id = `${arrival.id}.${stage}.${i}`;
      this.#submit(call, { id, app: arrival.app, slo: { class: 'program' }, program }, atMs);
    }
  }

  #submit(call: Call, who: Pick<RequestSpec, 'id' | 'app' | 'slo' | 'program'>, atMs: number) {
    const { stage, promptTokens, maxTokens, outputTokens } = call;
    const truth = { outputTokens };
    const number = this.#asked++;
    const cachedTokens =
      call.prefix === undefined ? 0 : this.#kv.matchPrefix(promptIds(call, number));
    const spec = { ...who, stage, promptTokens, maxTokens, truth, cachedTokens };
    const request = this.#scheduler.submit(spec, atMs);
    this.#calls.set(request.id, { call, number });
    this.#watch.submitted?.(request, this.#scheduler);
  }

  #askedFor(request: Request): Asked {
    const asked = this.#calls.get(request.id);
    if (asked === undefined) throw new Error(`Nobody asked for ${request.id}.`);
    return asked;
  }
}
