import type { PolicyName, Slo } from '../../../client';
import type { Arrival, DeviceProfile } from '../../../lab';
import { type Standing, standingOf } from '../standing';
import { type Frame, TwinRun } from './twin-run';

/** What the page tells the worker. */
export type ToRace =
  | {
      type: 'start';
      /** Of the page; what belongs to another run is not taken. */
      run: number;
      startMs: number;
      device: DeviceProfile;
      shown: PolicyName;
      others: readonly PolicyName[];
    }
  | { type: 'arrive'; arrival: Arrival }
  | { type: 'slo'; app: string; slo: Slo }
  /** How long a request's answer turned out to be, tokens: one whose length nobody knew. */
  | { type: 'length'; id: string; outputTokens: number }
  | { type: 'show'; policy: PolicyName }
  | { type: 'advance'; toMs: number; device: DeviceProfile; sinceMs: number };

/** What the worker tells the page. */
export type FromRace =
  /** `whole`: all that is known of this policy; else what is new. */
  | { type: 'frames'; run: number; policy: PolicyName; whole: boolean; frames: readonly Frame[] }
  | { type: 'standings'; run: number; standings: readonly Standing[] };

/** Replays that are further behind than this are let be while others are, ms. */
const SLICE_MS = 1000;

/**
 * The same arrivals under every policy, each on a simulated device of its own. The one that is shown goes
 * first; the others follow as there is time.
 */
export class Race {
  readonly #tell: (message: FromRace) => void;
  #run = 0;
  #runs = new Map<PolicyName, TwinRun>();
  #shown: PolicyName | undefined;
  #target: Extract<ToRace, { type: 'advance' }> | undefined;
  /** Requests whose length is not known yet. */
  readonly #open = new Map<string, Arrival & { kind: 'request' }>();
  #busy: Promise<void> | undefined;

  constructor(tell: (message: FromRace) => void) {
    this.#tell = tell;
  }

  take(message: ToRace): void {
    switch (message.type) {
      case 'start': {
        const { run, startMs, device, shown, others } = message;
        const names = [shown, ...others.filter((name) => name !== shown)];
        this.#run = run;
        this.#runs = new Map(names.map((name) => [name, new TwinRun(name, device, startMs)]));
        this.#target = undefined;
        this.#open.clear();
        this.#show(shown);
        break;
      }
      case 'arrive': {
        const { arrival } = message;
        if (arrival.kind === 'request' && arrival.call.outputTokens === Number.POSITIVE_INFINITY) {
          this.#open.set(arrival.id, arrival);
        }
        for (const run of this.#runs.values()) run.arrive(arrival);
        break;
      }
      case 'length': {
        const arrival = this.#open.get(message.id);
        if (arrival !== undefined) arrival.call.outputTokens = Math.max(1, message.outputTokens);
        this.#open.delete(message.id);
        break;
      }
      case 'slo':
        for (const run of this.#runs.values()) run.setSlo(message.app, message.slo);
        break;
      case 'show':
        this.#show(message.policy);
        break;
      case 'advance':
        this.#target = message;
        this.#busy ??= this.#advance().finally(() => {
          this.#busy = undefined;
        });
        break;
    }
  }

  /** Resolves when there is nothing left to replay. */
  async settled(): Promise<void> {
    while (this.#busy !== undefined) await this.#busy;
  }

  #show(policy: PolicyName): void {
    const run = this.#runs.get(policy);
    if (run === undefined) return;
    for (const other of this.#runs.values()) other.explains = other === run;
    this.#shown = policy;
    this.#tell({ type: 'frames', run: this.#run, policy, whole: true, frames: run.frames });
  }

  async #advance(): Promise<void> {
    for (;;) {
      const target = this.#target;
      if (target === undefined) return;
      const { toMs, device } = target;
      const number = this.#run;
      const shown = this.#shown === undefined ? undefined : this.#runs.get(this.#shown);
      if (shown !== undefined) {
        const frames = await shown.advance(toMs, device);
        if (number !== this.#run) continue;
        if (frames.length > 0 && this.#shown === shown.policy) {
          const { policy } = shown;
          this.#tell({ type: 'frames', run: number, policy, whole: false, frames });
        }
      }
      const behind = [...this.#runs.values()]
        .filter((run) => run !== shown && run.nowMs < toMs - SLICE_MS)
        .sort((a, b) => a.nowMs - b.nowMs)[0];
      if (behind === undefined) {
        if (this.#target === target) this.#target = undefined;
        const { sinceMs } = target;
        const standings = [...this.#runs.values()].map((run) => standingOf(run, sinceMs));
        this.#tell({ type: 'standings', run: number, standings });
      } else {
        await behind.advance(Math.min(toMs, behind.nowMs + 2 * SLICE_MS), device);
      }
      await new Promise((resolve) => setTimeout(resolve)); // what was told meanwhile comes first
    }
  }
}
