import type { PlanBuilder } from '../../plan';
import type { Circumstances } from './appraise';
import { numbersOf, type Task } from './order';

/**
 * Makes room for so many tokens of a promised task, where pages or sequences are short. First go the
 * pages of those who were promised nothing, the least dense first; then of the promised, those that
 * come last in line. Nobody else makes room for itself: work that nobody promised anything would only
 * take turns in being computed again. `promised` and `spare` are in the order in which they are served.
 */
export function makeRoom(
  task: Task,
  tokens: number,
  builder: PlanBuilder,
  promised: readonly Task[],
  spare: readonly Task[],
  on: Circumstances,
): void {
  if (on.without.has('eviction')) return;
  const { request } = task;
  const computed = request.coveredTokens;
  const pages = builder.pagesFor(request, computed + tokens);
  const sequences = request.resident ? 0 : 1;
  const enough = () => pages <= builder.freePages && sequences <= builder.freeSequences;
  const drop = (victim: Task) => builder.preempt(victim.request, numbersOf(victim, on));
  for (let i = spare.length - 1; i >= 0 && !enough(); i--) drop(spare[i]);
  for (let i = promised.length - 1; i >= 0 && !enough(); i--) {
    const victim = promised[i];
    if (victim === task || victim.first) return;
    if (!task.first && victim.dueMs <= task.dueMs) return;
    drop(victim);
  }
}
