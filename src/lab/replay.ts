import { type DeviceProfile, SimulatedClock, SimulatedExecutor } from '../engine/simulated';
import {
  type EngineCapabilities,
  type GainConfig,
  type KvState,
  type Policy,
  type Program,
  type Request,
  type RequestSpec,
  runStep,
  Scheduler,
  type Slo,
  type StepRecord,
  TempoError,
  type TokenKeeper,
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
  /** What the virtual clock shows at first, ms. Default 0. */
  startMs?: number;
  /** Hears of everything that happens. */
  watch?: ReplayWatcher;
}

/** What happens in a replay, as it happens. Times in ms of the virtual clock. */
export interface ReplayWatcher {
  submitted?(request: Request, scheduler: Scheduler): void;
  token?(request: Request, nowMs: number): void;
  finished?(request: Request, scheduler: Scheduler): void;
  /** Nobody waits for it any more (see `patienceMs`). */
  withdrawn?(request: Request, scheduler: Scheduler): void;
  stepped?(step: StepRecord, scheduler: Scheduler): void;
  /** `gain`: what the program earned. */
  programEnded?(program: Program, gain: number, scheduler: Scheduler): void;
}

/**
 * Replays a workload through a policy on the simulated engine, in virtual time, to the last token.
 * Returns the scheduler with its metrics. Deterministic.
 */
export async function replay(workload: Workload, options: ReplayOptions): Promise<Scheduler> {
  const run = new Replay(workload.profile, options);
  for (const arrival of workload.arrivals) run.arrive(arrival);
  await run.runTo(options.untilMs ?? Number.POSITIVE_INFINITY);
  return run.scheduler;
}

/** A replay that goes on bit by bit, with arrivals that become known as it goes. Deterministic. */
export class Replay {
  readonly scheduler: Scheduler;
  readonly #clock: SimulatedClock;
  readonly #engine: SimulatedExecutor;
  readonly #client: Client;
  readonly #watch: ReplayWatcher;

  /** The times of `profile` may change between two steps; its capacity may not. */
  constructor(profile: DeviceProfile, options: ReplayOptions) {
    this.#clock = new SimulatedClock(options.startMs);
    this.#engine = new SimulatedExecutor({
      profile,
      clock: this.#clock,
      capabilities: options.capabilities,
    });
    this.scheduler = new Scheduler({
      policy: options.policy,
      engine: this.#engine,
      costs: this.#engine.costs,
      gain: options.gain,
      maxWaiting: Number.POSITIVE_INFINITY,
      bestEffortShare: options.bestEffortShare,
    });
    this.#watch = options.watch ?? {};
    this.#client = new Client(this.scheduler, this.#engine.kv, this.#watch);
  }

  /** The virtual clock, ms. */
  get nowMs(): number {
    return this.#clock.now();
  }

  /** Adds what is asked; what was due before now is asked now, and answers for its own time. */
  arrive(arrival: Arrival): void {
    this.#client.arrive(arrival);
  }

  /** Gives the live requests of an app another objective; a program's deadline stays as it was. */
  setSlo(app: string, slo: Slo): void {
    const { resident, waiting } = this.scheduler;
    for (const request of [...resident, ...waiting]) {
      if (request.app === app && request.class !== 'program') this.scheduler.setSlo(request, slo);
    }
  }

  /**
   * Goes on until this time, ms, or with Infinity to the last token; the step that is under way then is
   * done whole. Throws `engine_failed` where the policy runs nothing while somebody waits.
   */
  async runTo(untilMs: number): Promise<void> {
    const clock = this.#clock;
    while (clock.now() < untilMs) {
      this.#client.submitDue(clock.now());
      const step = await runStep(this.scheduler, this.#engine, this.#client, clock);
      if (step !== null) {
        this.#watch.stepped?.(step, this.scheduler);
        this.#client.settle(step.endMs);
        continue;
      }
      // The scheduler never rests while somebody waits: all that is left is yet to come.
      const { live, policy } = this.scheduler;
      const nextMs = Math.min(this.#client.nextMs ?? Number.POSITIVE_INFINITY, untilMs);
      if (live > 0 && this.#client.nextMs === undefined) {
        throw new TempoError(
          'engine_failed',
          `${policy.name} runs nothing while ${live} requests wait.`,
        );
      }
      if (nextMs === Number.POSITIVE_INFINITY) return;
      clock.advanceTo(nextMs);
    }
  }
}

/** Arrivals that were submitted are forgotten once there are so many. */
const MOST_PAST = 256;

/** A program under way. */
interface Course {
  arrival: ProgramArrival;
  program: Program;
  /** The stage that runs, or comes next. */
  stage: number;
  /** Its calls that have not ended. */
  open: number;
  /** Nobody waits for it any more. */
  left?: boolean;
}

/** A call under way, and its number among all calls. */
interface Asked {
  call: Call;
  number: number;
}

/** Who waits no longer from this time on. */
interface Leaving {
  atMs: number;
  whose(): readonly Request[];
}

interface Event {
  atMs: number;
  submit(nowMs: number): void;
}

/** Stands for everybody who asks: submits what is due, and a program's next stage when the last is done. */
class Client implements TokenKeeper {
  readonly #scheduler: Scheduler;
  readonly #watch: ReplayWatcher;
  /** Known and not yet submitted, in order of time. */
  readonly #arrivals: Arrival[] = [];
  #next = 0;
  /** Who leaves when, soonest first. */
  readonly #leaving: Leaving[] = [];
  /** Later stages of programs, soonest last. */
  readonly #later: Event[] = [];
  readonly #calls = new Map<string, Asked>();
  readonly #kv: KvState;
  #asked = 0;
  readonly #courses = new Map<string, Course>();
  readonly #finishing: Request[] = [];

  constructor(scheduler: Scheduler, kv: KvState, watch: ReplayWatcher) {
    this.#kv = kv;
    this.#scheduler = scheduler;
    this.#watch = watch;
  }

  arrive(arrival: Arrival): void {
    if (this.#next > MOST_PAST) {
      this.#arrivals.splice(0, this.#next);
      this.#next = 0;
    }
    insert(this.#arrivals, arrival, this.#next);
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
    while (this.#leaving.length > 0 && this.#leaving[0].atMs <= nowMs) {
      for (const request of this.#leaving.shift()?.whose() ?? []) this.#withdraw(request, nowMs);
    }
  }

  #withdraw(request: Request, nowMs: number): void {
    if (!this.#scheduler.end(request, { kind: 'aborted' }, nowMs)) return;
    this.#calls.delete(request.id);
    this.#watch.withdrawn?.(request, this.#scheduler);
  }

  /** Of a single request, once it has waited so long for a token. */
  #leaves(request: Request, patienceMs: number): void {
    const atMs = (request.lastTokenMs ?? request.arrivalMs) + patienceMs;
    const whose = () => {
      if (request.ended) return [];
      const sinceMs = request.lastTokenMs ?? request.arrivalMs;
      if (sinceMs + patienceMs <= atMs) return [request];
      this.#leaves(request, patienceMs);
      return [];
    };
    insert(this.#leaving, { atMs, whose });
  }

  /** Of a program, if it has not ended by then, with all its calls. */
  #programLeaves(id: string, atMs: number): void {
    const whose = () => {
      const course = this.#courses.get(id);
      if (course === undefined) return [];
      this.#courses.delete(id);
      course.left = true;
      this.#scheduler.endProgram(course.program, atMs);
      return course.program.calls.filter((call) => !call.ended);
    };
    insert(this.#leaving, { atMs, whose });
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
    const { outputTokens, maxTokens } = this.#askedFor(request).call;
    if (request.generated < Math.min(outputTokens, maxTokens)) return null;
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
      if (course !== undefined && !course.left && --course.open === 0) this.#advance(course, nowMs);
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
      submit: (atMs: number) => {
        if (!course.left) this.#submitStage(course, next, atMs);
      },
    };
    let at = this.#later.length;
    while (at > 0 && this.#later[at - 1].atMs <= event.atMs) at--;
    this.#later.splice(at, 0, event);
  }

  #submitArrival(arrival: Arrival): void {
    if (arrival.kind === 'request') {
      const { id, app, slo, call, atMs, patienceMs } = arrival;
      const request = this.#submit(call, { id, app, slo }, atMs);
      if (patienceMs !== undefined) this.#leaves(request, patienceMs);
      return;
    }
    const { id, app, deadlineMs, atMs, patienceMs } = arrival;
    const stages = arrival.stages.map((stage) => stage.calls);
    const program = this.#scheduler.startProgram({ id, app, deadlineMs, truth: { stages } }, atMs);
    const course: Course = { arrival, program, stage: 0, open: 0 };
    this.#courses.set(id, course);
    this.#submitStage(course, arrival.stages[0], atMs);
    if (patienceMs !== undefined) this.#programLeaves(id, atMs + patienceMs);
  }

  #submitStage(course: Course, { calls }: Stage, atMs: number): void {
    const { arrival, program, stage } = course;
    course.open = calls.length;
    for (const [i, call] of calls.entries()) {
      const id = `${arrival.id}.${stage}.${i}`;
      this.#submit(call, { id, app: arrival.app, slo: { class: 'program' }, program }, atMs);
    }
  }

  #submit(
    call: Call,
    who: Pick<RequestSpec, 'id' | 'app' | 'slo' | 'program'>,
    atMs: number,
  ): Request {
    const { stage, promptTokens, maxTokens, outputTokens } = call;
    const truth = { outputTokens };
    const number = this.#asked++;
    const cachedTokens =
      call.prefix === undefined ? 0 : this.#kv.matchPrefix(promptIds(call, number));
    const spec = { ...who, stage, promptTokens, maxTokens, truth, cachedTokens };
    const request = this.#scheduler.submit(spec, atMs);
    this.#calls.set(request.id, { call, number });
    this.#watch.submitted?.(request, this.#scheduler);
    return request;
  }

  #askedFor(request: Request): Asked {
    const asked = this.#calls.get(request.id);
    if (asked === undefined) throw new Error(`Nobody asked for ${request.id}.`);
    return asked;
  }
}

/** Puts it in its place of a list that is in order of time, after those of the same; none goes before `from`. */
function insert<T extends { atMs: number }>(list: T[], item: T, from = 0): void {
  let at = list.length;
  while (at > from && list[at - 1].atMs > item.atMs) at--;
  list.splice(at, 0, item);
}
