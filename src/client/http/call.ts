import { Problem } from './problem';

export type Fields = Record<string, unknown>;

/** Where paths begin that have no origin. */
const ANYWHERE = 'http://localhost';

/**
 * What a caller of `fetch` asks for. Throws what the web's `fetch` throws where the arguments are none
 * (TypeError).
 */
export class Call {
  readonly method: string;
  /** From behind the last `/v1` on, without it: `/chat/completions`. */
  readonly path: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
  readonly #request: Request;

  constructor(input: string | URL | Request, init?: RequestInit) {
    const isRequest = typeof input === 'object' && input !== null && 'method' in input;
    const request = new Request(isRequest ? input : new URL(input, ANYWHERE), init);
    this.#request = request;
    this.method = request.method;
    this.path = pathOf(new URL(request.url));
    this.headers = request.headers;
    this.signal = request.signal;
  }

  /** The body, which has to be a JSON object. Throws a problem where it is none. */
  async body(): Promise<Fields> {
    const type = this.headers.get('content-type') ?? 'text/plain';
    // Text without a type of its own is text/plain to the web's fetch.
    if (!/^(application\/([\w.-]+\+)?json|text\/plain)\b/i.test(type)) {
      throw new Problem(
        415,
        'unsupported_media_type',
        `The body must be JSON (content-type: application/json); it is ${type}.`,
      );
    }
    const text = await this.#request.text();
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (thrown) {
      const why = text === '' ? 'it is empty' : `${thrown instanceof Error ? thrown.message : ''}`;
      throw new Problem(400, 'invalid_json', `The body must be JSON: ${why}.`);
    }
    if (isFields(body)) return body;
    throw new Problem(400, 'invalid_request', 'The body must be a JSON object.');
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Ours whatever stands before them. */
const OURS = /\/(chat\/completions|completions|responses|embeddings|models)$/;
const MODEL = /\/models\/.+$/;

function pathOf({ pathname }: URL): string {
  const path = pathname.replace(/\/+$/, '');
  const version = path.lastIndexOf('/v1/');
  if (version >= 0) return path.slice(version + '/v1'.length);
  return (OURS.exec(path) ?? MODEL.exec(path))?.[0] ?? path;
}
