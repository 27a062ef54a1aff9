import {
  type EngineCapabilities,
  type EngineCapacity,
  pagesFor,
  type StepPlan,
  TempoError,
} from '../../scheduler';
import type { EngineSequence } from './engine-sequence';

/** A sequence's share of a step. */
export interface StepMember {
  sequence: EngineSequence;
  /** Known tokens to compute. */
  tokens: number;
  /** All of its known tokens are computed by this step, so that the next is drawn. */
  draws: boolean;
}

/** What a plan is checked against. */
export interface StepLimits {
  capacity: EngineCapacity;
  capabilities: EngineCapabilities;
  freePages: number;
  /** Throws engine_failed where there is no such sequence. */
  sequence(id: string): EngineSequence;
}

/** A plan's members. Throws engine_failed, before anything has changed, where it cannot be done. */
export function stepMembers({ work }: StepPlan, limits: StepLimits): StepMember[] {
  const { capacity, capabilities, freePages } = limits;
  if (work.length === 0 || work.length > capacity.maxBatch) {
    reject(`A step takes 1 to ${capacity.maxBatch} sequences, not ${work.length}.`);
  }
  const seen = new Set<string>();
  let pages = 0;
  let total = 0;
  const members = work.map(({ sequenceId, tokens }): StepMember => {
    const sequence = limits.sequence(sequenceId);
    const { computed, pending } = sequence;
    if (seen.has(sequenceId)) reject(`"${sequenceId}" is in the step twice.`);
    seen.add(sequenceId);
    if (!(Number.isInteger(tokens) && tokens >= 1 && tokens <= pending)) {
      reject(`"${sequenceId}" has ${pending} tokens to compute, not ${tokens}.`);
    }
    if (!capabilities.continuedPrefill && tokens !== pending) {
      reject('This engine takes prompts whole; see its status.');
    }
    pages += pagesFor(computed + tokens, capacity.pageSize) - pagesFor(computed, capacity.pageSize);
    total += tokens;
    return { sequence, tokens, draws: tokens === pending };
  });
  if (total > capacity.maxPrefillTokens + capacity.maxBatch) {
    reject(`A step of ${total} tokens is more than this engine takes.`);
  }
  if (pages > freePages) reject(`The step needs ${pages} more KV pages; ${freePages} are free.`);
  return members;
}

/** How many of a member's tokens, this step's included, may come from another sequence. */
export function shareable({ sequence, tokens, draws }: StepMember): number {
  return sequence.computed + tokens - (draws ? 1 : 0);
}

function reject(message: string): never {
  throw new TempoError('engine_failed', message);
}
