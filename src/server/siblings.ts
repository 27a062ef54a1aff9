import { type Request, TempoError } from '../scheduler';
import type { Completion } from './completion';

interface Sibling {
  completion: Completion;
  first: Request;
  submit: () => void;
}

/**
 * Further choices of requests with n > 1. They are kept until the first choice has computed the
 * prompt, so that they find it in the prefix cache, and while the queue is full.
 */
export class Siblings {
  #kept: Sibling[] = [];

  keep(completion: Completion, first: Request, submit: () => void): void {
    this.#kept.push({ completion, first, submit });
  }

  /** Submits those whose prompt is computed; `failed` hears of those that cannot be. */
  release(failed: (completion: Completion, error: TempoError) => void): void {
    const ready = this.#kept.filter(({ first }) => first.generated > 0);
    if (ready.length === 0) return;
    this.#kept = this.#kept.filter(({ first }) => first.generated === 0);
    for (const sibling of ready) {
      if (sibling.completion.ended) continue;
      try {
        sibling.submit();
      } catch (thrown) {
        const error = TempoError.from(thrown);
        if (error.code === 'queue_full') this.#kept.push(sibling);
        else failed(sibling.completion, error);
      }
    }
  }

  forget(completion: Completion): void {
    if (completion.choices.length === 1) return;
    this.#kept = this.#kept.filter((sibling) => sibling.completion !== completion);
  }
}
