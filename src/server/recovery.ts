import type { StepEngine } from '../engine/step-engine';
import { within } from '../engine/within';
import { TempoError } from '../scheduler';
import type { Completion } from './completion';

/** Times that the device may be lost under one request, or without a step between. */
export const MAX_LOSSES = 3;

/** An engine, lost or hung perhaps, may take so long to let go of what it holds, ms. */
export const DISPOSE_WITHIN_MS = 1000;

/** Each further try to load a lost engine waits this much longer, ms. */
const RETRY_AFTER_MS = 250;

/** What the server does about a loss, and shows of it. */
export interface RecoveryOptions {
  /** Loads the same engine again. */
  reload(signal: AbortSignal): Promise<StepEngine>;
  /** Try number `attempt` begins. */
  trying(attempt: number): void;
  /** The engine is back, and serving. */
  recovered(): void;
  /** The engine is gone for good. Every request has been told. */
  failed(error: TempoError): void;
}

/** Whose engine it is. */
export interface Losing {
  readonly engine: StepEngine;
  /** It is being replaced by another load: nothing is to come back. */
  readonly stopped: boolean;
  /** Goes on with a new engine. */
  plug(engine: StepEngine): void;
  /** Ends every request: there will be no engine. */
  giveUp(error: TempoError): void;
}

/** Gets lost devices back, for one load: the one place that counts losses, tries again and gives up. */
export class Recovery {
  readonly #options: RecoveryOptions;
  /** Times that each request's device was lost under it. */
  readonly #strikes = new WeakMap<Completion, number>();
  /** Losses without a step between. */
  #losses = 0;
  #run: { controller: AbortController; over: Promise<void>; end: () => void } | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Resolves when the recovery under way is over, well or badly; undefined while there is none. */
  get over(): Promise<void> | undefined {
    return this.#run?.over;
  }

  /** A step was done: the device is fine. */
  stepped(): void {
    this.#losses = 0;
  }

  /** The device was lost under a request. Why it is given up, if this was once too often. */
  strike(completion: Completion, loss: TempoError): TempoError | undefined {
    const strikes = (this.#strikes.get(completion) ?? 0) + 1;
    this.#strikes.set(completion, strikes);
    return strikes > MAX_LOSSES ? gaveUp(loss) : undefined;
  }

  /** Replaces a lost engine, or gives it up after so many tries. Never rejects. */
  async begin(loss: TempoError, losing: Losing): Promise<void> {
    this.#losses++;
    let error = loss;
    for (let attempt = this.#losses; attempt <= MAX_LOSSES; attempt++) {
      this.#run ??= newRun();
      this.#options.trying(attempt);
      try {
        // What is left of the old engine makes room for the new one, if it still can.
        await letGo(losing.engine);
        await pause((attempt - 1) * RETRY_AFTER_MS);
        losing.plug(await this.#options.reload(this.#run.controller.signal));
        this.#options.recovered();
        this.end();
        return;
      } catch (thrown) {
        error = TempoError.from(thrown);
      }
      if (losing.stopped) return;
    }
    losing.giveUp(gaveUp(error));
    this.#options.failed(gaveUp(error));
    this.end();
  }

  /** Stops the reload under way; `end` follows when everything has been let go of. */
  cancel(reason: TempoError): void {
    this.#run?.controller.abort(reason);
  }

  /** Whoever waits for it goes on. */
  end(): void {
    this.#run?.end();
    this.#run = undefined;
  }
}

/** What it does not let go of in time, it does not let go of. */
export function letGo(engine: { dispose(): Promise<void> }, ms = DISPOSE_WITHIN_MS): Promise<void> {
  return within(ms, (async () => engine.dispose())());
}

function newRun() {
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { controller: new AbortController(), over, end };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function gaveUp(cause: TempoError): TempoError {
  return new TempoError(
    'engine_lost',
    `The device was lost and did not come back after ${MAX_LOSSES} tries (${cause.message}) Load the model again, or a smaller one.`,
    { cause },
  );
}
