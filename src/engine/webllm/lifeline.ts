import { TempoError } from '../../scheduler';

/** Whether an engine is alive; how it ends, once, and who hears of it. */
export class Lifeline {
  /** Resolves if the engine is lost. */
  readonly lost: Promise<TempoError>;
  /** What waits for the GPU hears of the engine's end. */
  readonly #waiting = new Set<(error: TempoError) => void>();
  #ended: TempoError | undefined;
  #resolveLost: (error: TempoError) => void = () => {};

  constructor(deviceLost: Promise<string>) {
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    void deviceLost.then((reason) => this.lose(`The GPU device was lost: ${reason}`));
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Throws what the engine ended with, if it has. */
  check(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** The engine is done for, unless it has ended already. Returns what it ended with. */
  lose(message: string): TempoError {
    if (this.#ended !== undefined) return this.#ended;
    const error = new TempoError('engine_lost', message);
    this.#end(error);
    this.#resolveLost(error);
    return error;
  }

  /** The engine was disposed of. */
  dispose(): void {
    if (this.#ended === undefined)
      this.#end(new TempoError('disposed', 'The engine was disposed.'));
  }

  /** Runs what calls into WebLLM: if that fails, nothing in there can be relied on any more. */
  guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof TempoError) throw error;
      throw this.lose(`WebLLM's runtime failed: ${describe(error)}`);
    }
  }

  /** Waits for `work`, but not for a GPU that is gone: it never answers. */
  async wait<T>(work: Promise<T>): Promise<T> {
    let end: (error: TempoError) => void = () => {};
    try {
      // No race with one promise for all: that would keep what each waited for.
      return await new Promise<T>((resolve, reject) => {
        end = reject;
        this.#waiting.add(end);
        this.check();
        work.then(resolve, reject);
      });
    } catch (error) {
      if (error instanceof TempoError) throw error;
      throw this.lose(`WebLLM's runtime failed: ${describe(error)}`);
    } finally {
      this.#waiting.delete(end);
    }
  }

  #end(error: TempoError): void {
    this.#ended = error;
    for (const end of this.#waiting) end(error);
  }
}

/** Emscripten throws plain objects when it aborts. */
function describe(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { message } = Object(error) as { message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
