import type {
  PolicyName,
  ProgramTrace,
  RequestTrace,
  Slo,
  Snapshot,
  StepTrace,
} from '../../../client';
import {
  type Arrival,
  createPolicy,
  type DeviceProfile,
  occupancyOf,
  Replay,
  type Request,
  requestTrace,
  StepOutputs,
  type StepRecord,
  stepTrace,
} from '../../../lab';
import { type Fate, Fates } from '../fates';

/** Time from one frame to the next, ms. */
const FRAME_MS = 200;
/** How far back frames are kept, ms: as far as a timeline reaches. */
const KEPT_MS = 40_000;

/** What changes from one frame to the next. */
export type Frame = Pick<
  Snapshot,
  'atMs' | 'steps' | 'programs' | 'requests' | 'live' | 'plan' | 'kv' | 'capacity'
>;

/** The arrivals under one policy, on a device that is as fast as the live one. */
export class TwinRun {
  readonly policy: PolicyName;
  readonly fates = new Fates();
  readonly #device: DeviceProfile;
  readonly #replay: Replay;
  #frames: Frame[] = [];
  #steps: StepTrace[] = [];
  #programs: ProgramTrace[] = [];
  #number = 0;
  #nextFrameMs: number;
  readonly #outputs = new StepOutputs();
  /** What was said of those that wait does not change, and is said again. */
  readonly #waiting = new WeakMap<Request, RequestTrace>();
  /** Explains its plans: for the policy that is shown. */
  explains = false;

  constructor(policy: PolicyName, device: DeviceProfile, startMs: number) {
    this.policy = policy;
    this.#device = { ...device };
    this.#nextFrameMs = startMs + FRAME_MS;
    this.#replay = new Replay(this.#device, {
      policy: createPolicy(policy),
      startMs,
      watch: {
        token: (request) => this.#outputs.add(request),
        stepped: (step) => this.#stepped(step),
        programEnded: ({ id, app, startMs, deadlineMs, endMs = startMs }) =>
          this.#programs.push({ id, app, startMs, deadlineMs, endMs }),
      },
    });
  }

  get nowMs(): number {
    return this.#replay.nowMs;
  }

  /** The frames of the last 40 s. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  arrive(arrival: Arrival): void {
    this.#replay.arrive(arrival);
  }

  setSlo(app: string, slo: Slo): void {
    this.#replay.setSlo(app, slo);
    for (const request of this.#replay.scheduler.waiting) this.#waiting.delete(request);
  }

  /** Goes on to this time, ms, on a device that is as it is now. Returns the new frames. */
  async advance(toMs: number, device: DeviceProfile): Promise<readonly Frame[]> {
    Object.assign(this.#device, device);
    const fresh: Frame[] = [];
    while (this.#nextFrameMs <= toMs) {
      await this.#replay.runTo(this.#nextFrameMs);
      fresh.push(this.#frame());
      this.#nextFrameMs = Math.max(this.#nextFrameMs + FRAME_MS, this.#replay.nowMs);
    }
    this.#frames.push(...fresh);
    const limit = toMs - KEPT_MS;
    const from = this.#frames.findIndex(({ atMs }) => atMs >= limit);
    if (from > 0) this.#frames = this.#frames.slice(from);
    return fresh;
  }

  /** What became of what arrived since then. */
  fatesSince(ms: number): Fate[] {
    return this.fates.all.filter(({ arrivalMs }) => arrivalMs >= ms);
  }

  #stepped(step: StepRecord): void {
    this.#steps.push(stepTrace(++this.#number, step, this.#outputs));
    this.#outputs.clear();
  }

  #frame(): Frame {
    const { scheduler } = this.#replay;
    const last = new Map(this.#steps.at(-1)?.work.map(({ requestId, kind }) => [requestId, kind]));
    const resident = scheduler.resident.map((request) => ({
      ...requestTrace(request),
      state: last.get(request.id) ?? ('paused' as const),
    }));
    const frame: Frame = {
      atMs: this.#replay.nowMs,
      steps: this.#steps,
      programs: this.#programs,
      requests: [...resident, ...scheduler.waiting.map((request) => this.#traceOf(request))],
      plan: this.explains ? scheduler.explain() : [],
      ...occupancyOf(scheduler),
    };
    this.#steps = [];
    this.#programs = [];
    this.fates.add(frame);
    return frame;
  }

  #traceOf(request: Request): RequestTrace {
    let trace = this.#waiting.get(request);
    if (trace === undefined || trace.generatedTokens !== request.generated) {
      trace = { ...requestTrace(request), state: 'waiting' };
      this.#waiting.set(request, trace);
    }
    return trace;
  }
}
