import type { Choice } from './choice';
import type { Completion } from './completion';

/** A choice, and whose it is. */
export interface OpenChoice {
  choice: Choice;
  completion: Completion;
}

/** The chat requests that have not ended, to be found by their ids and by those of their choices. */
export class OpenCompletions implements Iterable<Completion> {
  readonly #completions = new Map<string, Completion>();
  readonly #choices = new Map<string, OpenChoice>();

  add(completion: Completion): void {
    this.#completions.set(completion.id, completion);
    for (const choice of completion.choices) {
      this.#choices.set(choice.requestId, { choice, completion });
    }
  }

  delete(completion: Completion): void {
    this.#completions.delete(completion.id);
    for (const { requestId } of completion.choices) this.#choices.delete(requestId);
  }

  get(id: string): Completion | undefined {
    return this.#completions.get(id);
  }

  /** The choice that the scheduler knows as request `requestId`. */
  choice(requestId: string): OpenChoice | undefined {
    return this.#choices.get(requestId);
  }

  /** A snapshot: members may end while it is gone through. */
  [Symbol.iterator](): Iterator<Completion> {
    return [...this.#completions.values()].values();
  }
}
