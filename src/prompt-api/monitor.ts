import type { ServerState } from '../client';
import { HandlerAttribute } from './event-handler';
import type { CreateMonitor, EventHandler } from './types';

/** Progress is told in steps of this. */
const STEP = 2 ** -16;

/** What `create()` hands to its `monitor`. */
class Monitor extends EventTarget implements CreateMonitor {
  readonly #handler = new HandlerAttribute<CreateMonitor, ProgressEvent>(this, 'downloadprogress');

  get ondownloadprogress(): EventHandler<CreateMonitor, ProgressEvent> {
    return this.#handler.value;
  }

  set ondownloadprogress(handler: EventHandler<CreateMonitor, ProgressEvent>) {
    this.#handler.value = handler;
  }

  get [Symbol.toStringTag](): string {
    return 'CreateMonitor';
  }
}

/**
 * Tells a page how far a load is: at least 0 and 1, and never the same twice
 * (webmachinelearning.github.io/writing-assistance-apis/#supporting-creation).
 */
export class DownloadProgress {
  readonly #monitor = new Monitor();
  #told = -1;

  /** Throws what `monitor` throws. */
  constructor(monitor: (monitor: CreateMonitor) => void) {
    monitor(this.#monitor);
  }

  begin(): void {
    this.#tell(0);
  }

  take(state: ServerState): void {
    if (state.phase === 'loading') this.#tell(Math.min(state.progress.fraction, 1 - STEP));
  }

  end(): void {
    this.#tell(1);
  }

  #tell(fraction: number): void {
    const loaded = Math.floor(fraction / STEP) * STEP;
    if (!(loaded > this.#told)) return;
    this.#told = loaded;
    this.#monitor.dispatchEvent(progressEvent(loaded));
  }
}

function progressEvent(loaded: number): Event {
  const values = { loaded, total: 1, lengthComputable: true };
  if (typeof ProgressEvent !== 'undefined') {
    const event = new ProgressEvent('downloadprogress', values);
    // Some browsers still cut it to a whole number.
    return event.loaded === loaded ? event : withValues(event, values);
  }
  return withValues(new Event('downloadprogress'), values); // Node
}

function withValues(event: Event, values: object): Event {
  const described = Object.entries(values).map(([name, value]) => [name, { value }] as const);
  return Object.defineProperties(event, Object.fromEntries(described));
}
