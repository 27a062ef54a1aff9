/** Where an image's bytes come from: the request itself, a Blob, or an address. */

import { yieldToEventLoop } from '../../engine/yield';
import { TempoError } from '../../scheduler';
import type { ImageSource } from '../validate';

/** As much as OpenAI's service takes. */
const MOST_BYTES = 20 * 2 ** 20;

/** An address has to have sent everything by then, ms. */
const FETCH_WITHIN_MS = 30_000;

/** Base64 that is decoded at once, characters: a millisecond's work. A multiple of 4. */
const PIECE = 2 ** 20;

/**
 * The bytes of an image. Rejects with `invalid_request` where there are none such, `network` where they
 * cannot be fetched, and the signal's reason when it aborts.
 */
export async function imageFile(
  { url, param }: ImageSource,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  signal.throwIfAborted();
  if (typeof url !== 'string') return fromBlob(url, param);
  return /^data:/i.test(url) ? fromDataUrl(url, param) : fetched(url, param, signal);
}

async function fromBlob(blob: Blob, param: string): Promise<Uint8Array<ArrayBuffer>> {
  if (blob.size > MOST_BYTES) throw tooLarge(param, blob.size);
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new TempoError(
      'invalid_request',
      `${param} cannot be read: the file may have changed or be gone. Choose it again.`,
      { param, cause },
    );
  }
}

/** By hand: a page's Content-Security-Policy may forbid to fetch such an address. */
async function fromDataUrl(url: string, param: string): Promise<Uint8Array<ArrayBuffer>> {
  const comma = url.indexOf(',');
  const isBase64 = /;\s*base64\s*$/i.test(url.slice(0, Math.max(0, comma)));
  const bytesOf = (length: number) => (isBase64 ? (length / 4) * 3 : length);
  const checked = (data: string, most: number) => {
    if (bytesOf(data.length) > most) throw tooLarge(param, bytesOf(data.length));
    return data;
  };
  try {
    if (comma < 0) throw new Error('There is no comma.');
    // Escapes and line ends take room, too; most have neither.
    let data = checked(url.slice(comma + 1), 2 * MOST_BYTES);
    if (data.includes('%')) data = decodeURIComponent(data);
    if (isBase64 && /\s/.test(data)) data = data.replaceAll(/\s/g, '');
    checked(data, MOST_BYTES);
    return isBase64 ? await fromBase64(data) : new TextEncoder().encode(data);
  } catch (cause) {
    if (cause instanceof TempoError) throw cause;
    throw new TempoError(
      'invalid_request',
      `${param} is no data: address in base64 (data:image/png;base64,…).`,
      { param, cause },
    );
  }
}

/** Piece by piece, so that what is generated meanwhile goes on. */
async function fromBase64(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: string[] = [];
  let length = 0;
  for (let at = 0; at < text.length; at += PIECE) {
    if (at > 0) await yieldToEventLoop();
    const piece = atob(text.slice(at, at + PIECE));
    pieces.push(piece);
    length += piece.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    if (at > 0) await yieldToEventLoop();
    for (let i = 0; i < piece.length; i++) bytes[at + i] = piece.charCodeAt(i);
    at += piece.length;
  }
  return bytes;
}

async function fetched(
  url: string,
  param: string,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, FETCH_WITHIN_MS);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw answeredWith(response.status, url, param);
    return await bodyOf(response, param);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof TempoError) throw thrown;
    throw unreachable(url, param, late, thrown);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    stop(); // nothing more of it is read
  }
}

async function bodyOf(response: Response, param: string): Promise<Uint8Array<ArrayBuffer>> {
  const said = Number(response.headers.get('content-length') ?? 0);
  if (said > MOST_BYTES) throw tooLarge(param, said);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    chunks.push(read.value);
    length += read.value.length;
    if (length > MOST_BYTES) throw tooLarge(param, length);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function answeredWith(status: number, url: string, param: string): TempoError {
  const again = status >= 500 || status === 408 || status === 429;
  return new TempoError(
    again ? 'network' : 'invalid_request',
    `${param}: the server answers ${status} for ${shortened(url)}. Check the address.`,
    { param },
  );
}

function unreachable(url: string, param: string, late: boolean, cause: unknown): TempoError {
  let why =
    'cannot be fetched. Check the address and the connection, that its server lets other sites read it (Access-Control-Allow-Origin), and that the page’s Content-Security-Policy allows it (connect-src)';
  if (late) why = `has not come within ${FETCH_WITHIN_MS / 1000} s`;
  else if (/^blob:/i.test(url)) {
    why = 'cannot be read: it was revoked, or is another page’s. Pass the Blob itself';
  }
  return new TempoError('network', `${param}: ${shortened(url)} ${why}.`, { param, cause });
}

function tooLarge(param: string, bytes: number): TempoError {
  const megabytes = (size: number) => Math.ceil(size / 2 ** 20);
  return new TempoError(
    'invalid_request',
    `${param} is of ${megabytes(bytes)} MiB; an image may have ${megabytes(MOST_BYTES)}. Scale it down first.`,
    { param },
  );
}

function shortened(url: string): string {
  return url.length > 120 ? `${url.slice(0, 119)}…` : url;
}
