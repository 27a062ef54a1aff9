import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ModelRecord } from '../src/client';

/** How large each file of weights is, bytes. */
export const SHARD_BYTES = 300_000;
export const LIBRARY = Buffer.from('no library, but the right name');

/**
 * Serves made-up models as Hugging Face does: a model's files under `/NAME/resolve/main/`, libraries under
 * `/lib/`. Its weights are in four files unless a name says otherwise (`NAME-9`), and can be slow or break off.
 */
export class ModelHost {
  /** Paths that were asked for, in order, with the method. */
  readonly requests: string[] = [];
  /** Paths whose answers were cut off by the other end. */
  readonly cut: string[] = [];
  /** A file that breaks off in the middle, each time. */
  breaks: string | undefined;
  /** A file that is not there. */
  missing: string | undefined;
  /** How many bytes a second files of weights come at; all at once by default. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  /** What the list of weights says of each file, where that is to be wrong. */
  saidBytes = SHARD_BYTES;
  readonly #server: Server;
  #origin = '';

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('There is no port.');
    // By number: what comes from "localhost" WebLLM does not keep.
    this.#origin = `http://127.0.0.1:${address.port}`;
    return this;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  record(id: string, { weights = id, library = id } = {}): ModelRecord {
    return {
      model: `${this.#origin}/${weights}`,
      model_id: id,
      model_lib: `${this.#origin}/lib/${library}.wasm`,
      overrides: { context_window_size: 1024 },
    };
  }

  /** The files of weights that were asked for since the last call. */
  shardsAsked(): string[] {
    return this.requests.splice(0).filter((path) => path.includes('params_shard'));
  }

  async #answer({ method, url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = url.replace(/^\/([^/]+)\/resolve\/main\//, '/$1/');
    this.requests.push(`${method} ${path}`);
    response.setHeader('Access-Control-Allow-Origin', '*');
    const body = path === this.missing ? undefined : this.#file(path);
    if (body === undefined) return void response.writeHead(404).end();
    response.setHeader('Content-Length', body.length);
    if (method === 'HEAD') return void response.end();
    if (!path.includes('params_shard')) return void response.end(body);
    response.on('close', () => {
      if (!response.writableFinished) this.cut.push(path);
    });
    await this.#send(path, body, response);
  }

  async #send(path: string, body: Buffer, response: ServerResponse): Promise<void> {
    const end = path === this.breaks ? body.length / 2 : body.length;
    const piece = Math.ceil(Math.min(end, this.bytesPerSecond / 20));
    for (let at = 0; at < end && !response.destroyed; at += piece) {
      response.write(body.subarray(at, Math.min(end, at + piece)));
      if (piece < end) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (end < body.length) {
      // What was written is to arrive first.
      setTimeout(() => response.destroy(), 50);
    } else {
      response.end();
    }
  }

  #file(path: string): Buffer | undefined {
    const [, folder, name] = /^\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
    if (name === undefined) return undefined;
    if (folder === 'lib') return LIBRARY;
    if (name === 'mlc-chat-config.json') return json({ tokenizer_files: ['tokenizer.json'] });
    if (name === 'tokenizer.json') return json({ made: 'up' });
    if (name === 'tensor-cache.json') return json({ metadata: {}, records: this.#records(folder) });
    return name.startsWith('params_shard') ? Buffer.alloc(SHARD_BYTES, name.at(-5)) : undefined;
  }

  #records(folder: string): object[] {
    const count = Number(/-(\d+)$/.exec(folder)?.[1] ?? 4);
    return Array.from({ length: count }, (_, i) => ({
      dataPath: `params_shard_${i}.bin`,
      format: 'raw-shard',
      nbytes: this.saidBytes,
      records: [],
    }));
  }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
