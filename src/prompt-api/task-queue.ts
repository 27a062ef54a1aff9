import { abortable } from './abortable';

/** Runs one task after the other, in the order in which they came. */
export class TaskQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * An abort takes a task out of the queue, or lets the next one begin: the task must not change
   * anything from then on.
   */
  run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return abortable(task(), signal);
    });
    this.#last = turn.catch(() => {}); // its caller hears of it
    return abortable(turn, signal);
  }
}
