import { TempoError } from '../../scheduler';

/** Whether an engine is alive; how it ends, once, and who hears of it. */
export class Lifeline {
  /** Resolves if the engine is lost. */
  readonly lost: Promise<TempoError>;
  /** Rejects when the engine ends in any way. */
  readonly #over: Promise<never>;
  #ended: TempoError | undefined;
  #resolveLost: (error: TempoError) => void = () => {};
  #rejectOver: (error: TempoError) => void = () => {};

  constructor(deviceLost: Promise<string>) {
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    this.#over = new Promise((_, reject) => {
      this.#rejectOver = reject;
    });
    this.#over.catch(() => {});
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
    try {
      return await Promise.race([work, this.#over]);
    } catch (error) {
      if (error instanceof TempoError) throw error;
      throw this.lose(`WebLLM's runtime failed: ${describe(error)}`);
    }
  }

  #end(error: TempoError): void {
    this.#ended = error;
    this.#rejectOver(error);
  }
}

/** Emscripten throws plain objects when it aborts. */
function describe(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { message } = Object(error) as { message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
