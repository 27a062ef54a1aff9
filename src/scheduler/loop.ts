import { type Admissions, admitPlan, broken, hold, workAfter } from './admission';
import type { Clock } from './clock';
import { TempoError } from './errors';
import type { StepExecutor } from './executor';
import type { TokenKeeper } from './keeper';
import type { Plan } from './plan';
import type { Request } from './request';
import type { Scheduler } from './scheduler';

/** Longer than any step: one day, ms. */
const MAX_STEP_MS = 24 * 60 * 60 * 1000;

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
  keeper: TokenKeeper,
  clock: Clock,
  onReady?: () => void,
): Promise<StepRecord | null> {
  const release = () => {
    for (const request of scheduler.takeReleased()) engine.remove(request.id);
  };
  const fail = (request: Request, error: TempoError) => {
    if (scheduler.end(request, { kind: 'failed', error }, clock.now()))
      keeper.failed(request, error);
  };
  const admissions: Admissions = {
    engine,
    keeper,
    admitted: (request, cachedTokens) => scheduler.admitted(request, cachedTokens),
    failed: fail,
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
    const { tokens, group } = keeper.sequence(request);
    return engine.kv.matchPrefix(tokens, group);
  };
  /** Brings the engine to where the plan begins, and returns what it can compute there. */
  const carriedOut = async (next: Plan) => {
    await admitPlan(next, admissions);
    waits.push(...hold(next.admitted, engine));
    return workAfter(next, engine);
  };
  let plan = scheduler.plan(startMs, cachedTokens);
  let work = await carriedOut(plan);
  while (work.length === 0 && plan.admitted.length > 0) {
    // Pages that came back from CPU memory left no room to compute in, or nobody could be admitted, or
    // those who were cannot go on yet: when they took others' places, the others are not to take them back.
    if (waits.length > 0 && plan.preempted.length > 0) break;
    release();
    plan = scheduler.planOldest(startMs);
    work = await carriedOut(plan);
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
    const reason = keeper.token(request, sampled, endMs);
    if (reason !== null) scheduler.finish(request, reason, endMs);
  }
  release();
  return { plan: done, startMs, endMs };
}
