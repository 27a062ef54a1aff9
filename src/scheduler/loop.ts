import type { Clock } from './clock';
import { TempoError } from './errors';
import type { SampledToken, SequenceSpec, StepExecutor } from './executor';
import type { Plan, PlannedWork } from './plan';
import type { FinishReason, Request } from './request';
import type { Scheduler } from './scheduler';

/** Longer than any step: one day, ms. */
const MAX_STEP_MS = 24 * 60 * 60 * 1000;

/** Who knows a request's tokens: the server (text), or the lab (lengths alone). */
export interface RequestHost {
  /** The request as the engine wants it: prompt and what was generated so far. */
  sequence(request: Request): SequenceSpec;
  /** Takes a sampled token. Returns why the request is finished, or null if it goes on. */
  token(request: Request, sampled: SampledToken, nowMs: number): FinishReason | null;
  /** A request ended otherwise than by finishing. */
  failed(request: Request, error: TempoError): void;
}

/** What a step was, for those who watch. */
export interface StepRecord {
  plan: Plan;
  /** ms */
  startMs: number;
  endMs: number;
}

/**
 * One iteration of serving: plan, make room, admit, run, hand out the tokens, finish.
 * Returns null when there was nothing to do; `onReady` is called when what somebody waits for in the
 * engine has been made. An engine failure throws; nothing is lost by it.
 */
export async function runStep(
  scheduler: Scheduler,
  engine: StepExecutor,
  host: RequestHost,
  clock: Clock,
  onReady?: () => void,
): Promise<StepRecord | null> {
  const release = () => {
    for (const request of scheduler.takeReleased()) engine.remove(request.id);
  };
  const fail = (request: Request, error: TempoError) => {
    if (scheduler.end(request, { kind: 'failed', error }, clock.now())) host.failed(request, error);
  };
  const admit = (request: Request) => {
    if (request.ended) return; // while others were swapped out
    try {
      const { cachedTokens } = engine.add(host.sequence(request));
      if (
        !(Number.isInteger(cachedTokens) && cachedTokens >= 0 && cachedTokens < request.knownTokens)
      ) {
        engine.remove(request.id);
        throw broken(`${cachedTokens} of ${request.knownTokens} tokens were found computed`);
      }
      scheduler.admitted(request, cachedTokens);
    } catch (thrown) {
      const error = TempoError.from(thrown);
      if (error.code === 'engine_lost') throw error; // the engine's failure, not the request's
      fail(request, error);
    }
  };

  /** Brings the engine to where the plan begins, and returns what it can compute there. */
  const prepare = async (plan: Plan) => {
    for (const { id } of plan.preempted) {
      if (engine.capabilities.swap) await engine.swapOut?.(id);
      else engine.remove(id);
    }
    for (const request of plan.admitted) admit(request);
    waits.push(...hold(plan.admitted, engine));
    return workForNow(plan, engine);
  };

  release();
  const settled = engine.untilSettled?.();
  if (settled !== undefined) {
    await settled;
    release();
  }
  const waits = hold(scheduler.resident, engine);
  const startMs = clock.now();
  const cachedTokens = (request: Request) => {
    const { tokens, group } = host.sequence(request);
    return engine.kv.matchPrefix(tokens, group);
  };
  let plan = scheduler.plan(startMs, cachedTokens);
  let work = await prepare(plan);
  while (work.length === 0 && plan.admitted.length > 0) {
    // Pages that came back from CPU memory left no room to compute in, or nobody could be admitted, or
    // those who were cannot go on yet: when they took others' places, the others are not to take them back.
    if (waits.length > 0 && plan.preempted.length > 0) break;
    release();
    plan = scheduler.planOldest(startMs);
    work = await prepare(plan);
  }
  if (work.length === 0) {
    for (const wait of waits) if (onReady !== undefined) void wait.then(onReady);
    return null;
  }

  const result = await engine.step({
    work: work.map(({ request, tokens }) => ({ sequenceId: request.id, tokens })),
  });

  const endMs = clock.now();
  const done = { ...plan, work };
  const { durationMs, sampled: tokens, failed } = result;
  scheduler.stepped(
    done,
    durationMs >= 0 ? Math.min(durationMs, MAX_STEP_MS) : endMs - startMs,
    endMs,
  );
  for (const { request } of work) {
    const failure = failed?.get(request.id);
    if (failure !== undefined) fail(request, TempoError.from(failure));
    if (request.ended) continue;
    const sampled = tokens.get(request.id);
    const complete = request.pendingTokens === 0;
    if (complete !== (sampled !== undefined)) {
      fail(request, broken(complete ? 'no token was drawn' : 'a token was drawn too early'));
    }
    if (sampled === undefined || request.ended) continue;
    scheduler.token(request, endMs);
    const reason = host.token(request, sampled, endMs);
    if (reason !== null) scheduler.finish(request, reason, endMs);
  }
  release();
  return { plan: done, startMs, endMs };
}

/** What an engine does that breaks its contract costs the request that it does it to. */
function broken(what: string): TempoError {
  return new TempoError('engine_failed', `The engine failed this request: ${what}. Send it again.`);
}

/**
 * Marks the residents whose next token cannot be drawn yet: nobody is to wait for another's grammar.
 * Returns what they wait for.
 */
function hold(requests: readonly Request[], engine: StepExecutor): Promise<void>[] {
  return requests.flatMap((request) => {
    const wait = request.resident ? engine.untilDrawable?.(request.id) : undefined;
    request.preparing = wait !== undefined;
    return wait ?? [];
  });
}

/**
 * The plan's work as admission has left it. A prefix found in the cache leaves less to compute than
 * was planned, but takes its pages all at once: what no longer fits waits for the next step.
 */
function workForNow(plan: Plan, { kv, capacity, capabilities }: StepExecutor): PlannedWork[] {
  const pagesOf = (tokens: number) => Math.ceil(tokens / capacity.pageSize);
  let free = kv.freePages;
  const work: PlannedWork[] = [];
  for (const { request, tokens: planned } of plan.work) {
    if (request.ended || request.preparing) continue;
    const { computed, pendingTokens } = request;
    const held = pagesOf(computed);
    const room = (held + free) * capacity.pageSize - computed;
    const tokens = Math.min(planned, pendingTokens, room);
    if (tokens < 1 || (tokens < pendingTokens && !capabilities.continuedPrefill)) continue;
    free -= pagesOf(computed + tokens) - held;
    work.push({ request, tokens });
  }
  return work;
}
