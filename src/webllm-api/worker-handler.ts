import type { LogitProcessor } from './config-types';
import { refuseProcessors } from './logit-processors';
import { isServeMessage, kindOf, type WorkerResponse } from './messages';
import { startScript } from './package-worker';

/** The global scope of a dedicated worker, as far as it is used. */
declare const self: { postMessage(message: unknown, transfer: Transferable[]): void };

/**
 * What a worker file for WebLLM holds. Here it serves a Tempo: it starts the package's worker beneath its own,
 * and passes on what a `WebWorkerMLCEngine` says to it. The two end together.
 *
 * ```ts
 * const handler = new WebWorkerMLCEngineHandler();
 * self.onmessage = (event) => handler.onmessage(event);
 * ```
 */
export class WebWorkerMLCEngineHandler {
  #beneath: Worker | undefined;
  /** What was said before it was known where the package's worker is. */
  readonly #early: { data: unknown; ports: readonly MessagePort[] }[] = [];

  /** Every message to the page; a subclass may send it another way. */
  postMessage(message: unknown, transfer: Transferable[] = []): void {
    self.postMessage(message, transfer);
  }

  /** Throws `unsupported` where there is a processor in it. */
  setLogitProcessorRegistry(registry?: Map<string, LogitProcessor>): void {
    refuseProcessors(registry);
  }

  /** Takes a message to the worker. Those that are neither Tempo's nor WebLLM's are left alone. */
  onmessage(event: unknown, onComplete?: (value: unknown) => void): void {
    const [data, ports] =
      event instanceof MessageEvent ? [event.data, event.ports] : [event, NO_PORTS];
    if (isServeMessage(data)) this.#serve(data.content);
    else if (kindOf(data) === undefined) this.#passOn({ data, ports });
    onComplete?.(null);
  }

  /** Does what a request of the page's own asks, and answers it, as WebLLM does. */
  async handleTask(uuid: string, task: () => Promise<unknown>): Promise<void> {
    const answer = async (): Promise<WorkerResponse> => {
      try {
        return { kind: 'return', uuid, content: await task() };
      } catch (thrown) {
        return { kind: 'throw', uuid, content: String(thrown) };
      }
    };
    this.postMessage(await answer());
  }

  #serve(script: Parameters<typeof startScript>[0]): void {
    if (this.#beneath !== undefined) return;
    this.#beneath = startScript(script);
    this.#beneath.onmessage = ({ data, ports }) => this.postMessage(data, [...ports]);
    for (const message of this.#early.splice(0)) this.#passOn(message);
  }

  #passOn(message: { data: unknown; ports: readonly MessagePort[] }): void {
    if (this.#beneath === undefined) this.#early.push(message);
    else this.#beneath.postMessage(message.data, [...message.ports]);
  }
}

const NO_PORTS: readonly MessagePort[] = [];
