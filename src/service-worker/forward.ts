import type { OfferingPage, Pages } from './pages';
import type { ToPage, ToWorker } from './protocol';

/** Where the browser does not tell that a page was closed, it is looked for so often, ms. */
const LOOK_EVERY_MS = 2000;

/** A request on its way through a page, and its answer on the way back. */
export class Forward {
  /** Resolves when nothing more will come of it. */
  readonly done: Promise<void>;
  readonly #port: MessagePort;
  readonly #request: Request;
  #end: () => void = () => {};
  /** What the page says next, or why it will not. */
  #heard: (message: ToWorker) => void = () => {};
  #failed: (error: Error) => void = () => {};
  #lost: Error | undefined;

  constructor({ id, port }: OfferingPage, pages: Pages, request: Request) {
    this.#port = port;
    this.#request = request;
    this.done = new Promise((resolve) => {
      this.#end = resolve;
    });
    const lose = () => this.#lose(new Error('The page that was answering has been closed.'));
    port.onmessage = (event: MessageEvent<ToWorker>) => this.#heard(event.data);
    port.addEventListener('close', lose);
    const look = setInterval(async () => {
      if (!(await pages.has(id))) lose();
    }, LOOK_EVERY_MS);
    const abort = () => {
      this.#say({ type: 'cancel' });
      this.#lose(new DOMException('The request was aborted.', 'AbortError'));
    };
    request.signal.addEventListener('abort', abort);
    void this.done.then(() => {
      clearInterval(look);
      request.signal.removeEventListener('abort', abort);
      port.close();
    });
  }

  /** Resolves with the answer's beginning; its body is taken from the page as it is read. */
  async response(): Promise<Response> {
    const { url, method, headers } = this.#request;
    const text = method === 'GET' || method === 'HEAD' ? undefined : this.#request.arrayBuffer();
    const body = await text;
    const begin = await this.#asked({ type: 'request', url, method, headers: [...headers], body });
    if (begin.type !== 'response') throw new Error('The page that was to answer did not.');
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          const next = await this.#asked({ type: 'pull' });
          if (next.type === 'piece') return controller.enqueue(next.piece);
          controller.close();
          this.#end();
        },
        cancel: () => {
          this.#say({ type: 'cancel' });
          this.#end();
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(stream, { status: begin.status, headers: begin.headers });
  }

  /** The page's next word. Throws where it is an error, or where there will be none. */
  async #asked(message: ToPage): Promise<ToWorker> {
    if (this.#lost !== undefined) throw this.#lost;
    const heard = new Promise<ToWorker>((resolve, reject) => {
      this.#heard = resolve;
      this.#failed = reject;
    });
    this.#say(message);
    const word = await heard;
    if (word.type !== 'error') return word;
    this.#end();
    throw new Error(word.message);
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    this.#failed(this.#lost);
    this.#end();
  }

  #say(message: ToPage): void {
    this.#port.postMessage(message);
  }
}
