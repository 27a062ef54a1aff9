import { ASK } from './protocol';

/** A page, as a service worker sees it. */
export interface PageClient {
  readonly id: string;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** The part of a service worker's `clients` that is used. */
export interface PageClients {
  matchAll(options: {
    type: 'window';
    includeUncontrolled: boolean;
  }): Promise<readonly PageClient[]>;
  get(id: string): Promise<PageClient | undefined>;
}

/** A page that says it has a Tempo, and the port to it. */
export interface OfferingPage {
  id: string;
  port: MessagePort;
}

/** A page that has said nothing for so long offers nothing, or is frozen, ms. */
const PATIENCE_MS = 1000;
/** Others wait so long for the page that asks, where nothing is known of it, ms. */
const HEAD_START_MS = 100;

/** The pages that are open, and which of them offer a Tempo. */
export class Pages {
  readonly #clients: PageClients;
  /** Whether each page offered one when it was last asked. */
  readonly #offered = new Map<string, boolean>();

  constructor(clients: PageClients) {
    this.#clients = clients;
  }

  /** A page that offers a Tempo: `clientId`'s own, where it does. */
  async find(clientId: string): Promise<OfferingPage | undefined> {
    const open = await this.#clients.matchAll({ type: 'window', includeUncontrolled: true });
    const answers = open.map((client) => this.#ask(client));
    const own = answers[open.findIndex(({ id }) => id === clientId)];
    const first = Promise.any(answers.map((answer) => answer.then((page) => page ?? fail()))).catch(
      () => undefined,
    );
    const preferred = await Promise.race([own, first.then(() => pause(this.#headStart(clientId)))]);
    const found = preferred ?? (await first);
    for (const answer of answers) {
      void answer.then((page) => {
        if (page !== found) page?.port.close();
      });
    }
    return found;
  }

  /** Whether a page is still there. */
  async has(id: string): Promise<boolean> {
    return (await this.#clients.get(id)) !== undefined;
  }

  #headStart(clientId: string): number {
    const offered = this.#offered.get(clientId);
    if (offered === undefined) return HEAD_START_MS;
    return offered ? PATIENCE_MS : 0;
  }

  #ask(client: PageClient): Promise<OfferingPage | undefined> {
    const { id } = client;
    const { port1: port, port2 } = new MessageChannel();
    const asked = new Promise<OfferingPage | undefined>((resolve) => {
      const timer = setTimeout(() => {
        this.#offered.set(id, false);
        resolve(undefined);
      }, PATIENCE_MS);
      port.onmessage = () => {
        clearTimeout(timer);
        this.#offered.set(id, true);
        port.onmessage = null;
        resolve({ id, port });
      };
    });
    client.postMessage(ASK, [port2]);
    return asked;
  }
}

function fail(): never {
  throw new Error();
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
