import { type Request, TempoError } from '../scheduler';
import type { Completion } from './completion';

interface Sibling {
  completion: Completion;
  first: Request;
  submit: () => void;
}

/**
 * Further choices of requests with n > 1. They are kept until the first choice has computed the
 * prompt, so that they find it in the prefix cache.
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
        failed(sibling.completion, TempoError.from(thrown));
      }
    }
  }

  forget(completion: Completion): void {
    if (completion.choices.length === 1) return;
    this.#kept = this.#kept.filter((sibling) => sibling.completion !== completion);
  }
}
