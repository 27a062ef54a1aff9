/**
 * From a plan to what the engine computes. A policy cannot make an impossible plan, so nothing of it is
 * repaired here; but between a plan and its step the engine drops and admits, and that tells what
 * nobody could know before.
 */
import { TempoError } from './errors';
import { pagesFor, type StepExecutor } from './executor';
import type { TokenKeeper } from './keeper';
import type { Plan, PlannedWork } from './plan';
import type { Request } from './request';

/** Who is told how admissions went. */
export interface Admissions {
  engine: StepExecutor;
  keeper: TokenKeeper;
  /** The engine found so many of the request's tokens computed. */
  admitted(request: Request, cachedTokens: number): void;
  /** Nobody but the request is harmed. */
  failed(request: Request, error: TempoError): void;
}

/** Drops and admits whom the plan says. Throws where the engine is lost. */
export async function admitPlan(plan: Plan, admissions: Admissions): Promise<void> {
  const { engine } = admissions;
  for (const { id } of plan.preempted) {
    if (engine.capabilities.swap) await engine.swapOut?.(id);
    else engine.remove(id);
  }
  for (const request of plan.admitted) admit(request, admissions);
}

function admit(request: Request, { engine, keeper, admitted, failed }: Admissions): void {
  if (request.ended) return; // while others were swapped out
  try {
    const { cachedTokens } = engine.add(keeper.sequence(request));
    if (
      !(Number.isInteger(cachedTokens) && cachedTokens >= 0 && cachedTokens < request.knownTokens)
    ) {
      engine.remove(request.id);
      throw broken(`${cachedTokens} of ${request.knownTokens} tokens were found computed`);
    }
    admitted(request, cachedTokens);
  } catch (thrown) {
    const error = TempoError.from(thrown);
    if (error.code === 'engine_lost') throw error; // the engine's failure, not the request's
    failed(request, error);
  }
}

/**
 * Marks the residents whose next token cannot be drawn yet: nobody is to wait for another's grammar.
 * Returns what they wait for.
 */
export function hold(requests: readonly Request[], engine: StepExecutor): Promise<void>[] {
  return requests.flatMap((request) => {
    if (request.ended || !request.resident) return [];
    const wait = engine.untilDrawable?.(request.id);
    request.hold(wait !== undefined);
    return wait ?? [];
  });
}

/**
 * What of the plan's work can be done after its admissions. Some members have ended meanwhile, or what
 * they draw with is still being made. Some were found to have more computed than the plan was told:
 * pages come back from CPU memory, and whoever was preempted leaves a prefix that a newcomer shares.
 * That leaves less to compute, but takes its pages all at once: what no longer fits waits for the next step.
 */
export function workAfter(
  plan: Plan,
  { kv, capacity: { pageSize }, capabilities }: StepExecutor,
): PlannedWork[] {
  let free = kv.freePages;
  const work: PlannedWork[] = [];
  for (const { request, tokens: planned } of plan.work) {
    if (request.state !== 'resident') continue;
    const { computed, pendingTokens } = request;
    const held = pagesFor(computed, pageSize);
    const room = (held + free) * pageSize - computed;
    const tokens = Math.min(planned, pendingTokens, room);
    if (tokens < 1 || (tokens < pendingTokens && !capabilities.continuedPrefill)) continue;
    free -= pagesFor(computed + tokens, pageSize) - held;
    work.push({ request, tokens });
  }
  return work;
}

/** What an engine does that breaks its contract costs the request that it does it to. */
export function broken(what: string): TempoError {
  return new TempoError('engine_failed', `The engine failed this request: ${what}. Send it again.`);
}
