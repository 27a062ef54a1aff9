import { yieldToEventLoop } from '../engine/yield';
import {
  type Clock,
  runStep,
  type Scheduler,
  type StepRecord,
  TempoError,
  type TokenKeeper,
} from '../scheduler';
import type { EngineSocket } from './engine-socket';
import { RATE_WINDOW_MS } from './timeline';

/** While nothing can run, a policy that holds work back is asked again after this, ms. */
const HELD_BACK_MS = 10;

/** What the loop tells of its steps. */
export interface StepLoopEvents {
  /** A step is over, or there was nothing to do (null). */
  stepped(record: StepRecord | null): void;
  /** The device was lost; the loop goes on when this resolves. */
  lost(error: TempoError): Promise<void>;
  /** A step failed on a device that is fine. */
  failed(error: TempoError): void;
  /**
   * A step is over, or there was none to take (`idle`): other work for the device may have its turn.
   * Resolves to whether there was any.
   */
  between(idle: boolean): Promise<boolean>;
  /** Nothing has run for so long that the token rate is nothing. */
  idle(): void;
}

/** Runs steps as long as there is work, sleeps while there is none, and never throws. */
export class StepLoop {
  readonly #scheduler: Scheduler;
  readonly #socket: EngineSocket;
  readonly #keeper: TokenKeeper;
  readonly #clock: Clock;
  readonly #events: StepLoopEvents;
  #stopped = false;
  /** Something happened since the step under way began. */
  #news = false;
  #wake = () => {};
  readonly #done: Promise<void>;

  constructor(
    scheduler: Scheduler,
    socket: EngineSocket,
    keeper: TokenKeeper,
    clock: Clock,
    events: StepLoopEvents,
  ) {
    this.#scheduler = scheduler;
    this.#socket = socket;
    this.#keeper = keeper;
    this.#clock = clock;
    this.#events = events;
    this.#done = this.#run();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** There may be something to do. */
  wake(): void {
    this.#news = true;
    this.#wake();
  }

  /** No step begins any more. Resolves when the one under way is over. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    return this.#done;
  }

  async #run(): Promise<void> {
    let failures = 0;
    await Promise.resolve(); // whoever makes the loop is to be whole before its first step
    while (!this.#stopped) {
      this.#news = false;
      try {
        this.#socket.check();
        const record = await runStep(this.#scheduler, this.#socket, this.#keeper, this.#clock, () =>
          this.wake(),
        );
        failures = 0;
        this.#events.stepped(record);
        const worked = await this.#events.between(record === null);
        if (record === null && !worked) await this.#rest();
        else await yieldToEventLoop();
      } catch (thrown) {
        const error = TempoError.from(thrown);
        if (error.code === 'engine_lost') await this.#events.lost(error);
        else this.#events.failed(error);
        await yieldToEventLoop();
        // What fails again and again is not to take all the time there is.
        if (++failures > 1) await this.#rest();
      }
    }
  }

  /** Until there is news; while requests are live, the policy is asked again before long. */
  async #rest(): Promise<void> {
    if (this.#news) return;
    const held = this.#scheduler.live > 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = held
        ? setTimeout(resolve, HELD_BACK_MS)
        : setTimeout(() => this.#events.idle(), RATE_WINDOW_MS);
    });
    this.#wake = () => {};
    clearTimeout(timer);
  }
}
