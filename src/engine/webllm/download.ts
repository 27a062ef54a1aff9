/**
 * Brings what a model needs into WebLLM's cache before WebLLM looks there. WebLLM downloads, too, but tells
 * of whole files only (a tenth of a gigabyte each), gives up at the first that fails, leaves the others of
 * that load running, and learns at the end that the disk is full. Kept are whole files: what has arrived
 * before a break or a cancel is not fetched again.
 */
import { TempoError } from '../../scheduler';
import type { LoadProgress } from '../step-engine';
import { unlessAborted } from '../within';
import type { AppConfig, ModelRecord } from './app-config';
import { artifactStore } from './artifact-store';
import { loadError } from './load-errors';
import {
  chatConfigFile,
  libraryFile,
  type ModelFile,
  packageManifest,
  type Shard,
  shardListFile,
  shardsOf,
  tokenizerFile,
} from './model-files';
import { roomFor } from './quota';
import { TimeLeft } from './time-left';

export interface DownloadOptions {
  record: ModelRecord;
  appConfig: Pick<AppConfig, 'cacheBackend'>;
  signal?: AbortSignal;
  /** The fraction is of this download. */
  onProgress?: (progress: LoadProgress) => void;
}

/** Files at once, as WebLLM has it. */
const PARALLEL = 4;
/** Tries for one file, each after a longer pause. */
const TRIES = 3;
const RETRY_AFTER_MS = 500;
/** A server that sends nothing for so long is not waited for, ms. */
const STALLED_AFTER_MS = 60_000;
const REPORT_EVERY_MS = 100;

/**
 * Downloads what is missing. Resolves to whether that was anything. Throws `network`, `out_of_memory` where
 * the browser's storage has no room for all of it (then nothing large was begun), and what `signal` aborts
 * with. Does nothing with a cache that is not the Cache API's: there WebLLM downloads by itself.
 */
export async function download(options: DownloadOptions): Promise<boolean> {
  const { record, appConfig, onProgress } = options;
  const { cacheBackend = 'cache' } = appConfig;
  if (cacheBackend !== 'cache' || !('caches' in globalThis)) return false;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    const bring = (file: ModelFile) => bringJson(file, signal);
    const manifestFile = packageManifest(record);
    const manifest = manifestFile && (await bring(manifestFile));
    const chatConfig = await bring(chatConfigFile(record, manifest));
    for (const file of [tokenizerFile(record, chatConfig), libraryFile(record)]) {
      if (file !== undefined) await bringFile(file, { signal });
    }
    const list = shardListFile(record, manifest);
    const shards = shardsOf(await bring(list), list.url);
    const kept = await artifactStore({}).addresses('webllm/model');
    const missing = shards.filter(({ url }) => !kept.has(url));
    if (missing.length === 0) return false;
    await checkRoom(record.model_id, total(missing));
    await bringShards(missing, new Account(shards, missing, onProgress), signal);
    return true;
  } catch (error) {
    throw options.signal?.aborted ? error : loadError(error);
  } finally {
    stop.abort();
  }
}

/** Throws `out_of_memory` where the browser's storage has no room for it all. */
async function checkRoom(model: string, needed: number): Promise<void> {
  const room = await roomFor(needed);
  if (room === undefined || room >= needed) return;
  throw new TempoError(
    'out_of_memory',
    `"${model}" needs ${inMegabytes(needed)} more of the browser's storage, which has room for ${inMegabytes(room)}: ${inMegabytes(needed - room)} are missing. Free some space (tempo.models.delete removes a model's files), or choose a smaller model.`,
  );
}

async function bringShards(
  shards: readonly Shard[],
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  const left = [...shards];
  account.report();
  const bringSome = async () => {
    for (let shard = left.shift(); shard !== undefined; shard = left.shift()) {
      const { url, bytes } = shard;
      await bringFile({ scope: 'webllm/model', url }, { signal, bytes, arrived: account.arrived });
      account.done++;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, bringSome));
}

async function bringJson(file: ModelFile, signal: AbortSignal): Promise<unknown> {
  await bringFile(file, { signal });
  return artifactStore({}).json(file);
}

interface BringOptions {
  signal: AbortSignal;
  /** How large it has to be. */
  bytes?: number;
  /** Hears of bytes as they come, and of those that came in vain, below zero. */
  arrived?: (bytes: number) => void;
}

/** Fetches a file into the cache unless it is there. */
async function bringFile({ scope, url }: ModelFile, options: BringOptions): Promise<void> {
  const cache = await caches.open(scope);
  if ((await cache.match(url)) !== undefined) return;
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchInto(cache, url, options);
      return;
    } catch (error) {
      options.signal.throwIfAborted();
      const final = error instanceof TempoError || isQuotaError(error);
      if (final || attempt === TRIES) throw final ? error : broken(url, error);
      await pause(RETRY_AFTER_MS * 2 ** (attempt - 1), options.signal);
    }
  }
}

async function fetchInto(
  cache: Cache,
  url: string,
  { signal, bytes, arrived }: BringOptions,
): Promise<void> {
  const stop = new AbortController();
  /** Why it was given up; the cache's own error has no reasons. */
  let trouble: string | undefined;
  const stall = () => {
    trouble = `nothing came for ${STALLED_AFTER_MS / 1000} s`;
    stop.abort();
  };
  let timer = setTimeout(stall, STALLED_AFTER_MS);
  let received = 0;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, stop.signal]) });
    if (!response.ok) throw refused(url, response.status);
    const counted = response.body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          clearTimeout(timer);
          timer = setTimeout(stall, STALLED_AFTER_MS);
          received += chunk.byteLength;
          arrived?.(chunk.byteLength);
          controller.enqueue(chunk);
        },
        flush(controller) {
          if (bytes === undefined || received === bytes) return;
          trouble = `${received} bytes came, the list of weights says ${bytes}`;
          controller.error(new Error(trouble)); // so that it is not kept
        },
      }),
    );
    // A new one: what is kept must be found whatever headers it came with.
    await cache.put(url, new Response(counted, { headers: keptHeaders(response.headers) }));
  } catch (error) {
    arrived?.(-received);
    throw trouble === undefined ? error : new Error(trouble, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** How far a download is. */
class Account {
  readonly #totalBytes: number;
  readonly #onProgress: DownloadOptions['onProgress'];
  readonly #timeLeft = new TimeLeft();
  readonly #files: number;
  #loadedBytes: number;
  /** Files that are there. */
  done: number;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(
    shards: readonly Shard[],
    missing: readonly Shard[],
    onProgress: DownloadOptions['onProgress'],
  ) {
    this.#totalBytes = total(shards);
    this.#loadedBytes = this.#totalBytes - total(missing);
    this.#onProgress = onProgress;
    this.#files = shards.length;
    this.done = shards.length - missing.length;
  }

  arrived = (bytes: number): void => {
    this.#loadedBytes += bytes;
    if (performance.now() >= this.#toldMs + REPORT_EVERY_MS) this.report();
  };

  report(): void {
    this.#toldMs = performance.now();
    this.#onProgress?.({
      phase: 'download',
      text: 'Downloading the model.',
      fraction: this.#loadedBytes / this.#totalBytes,
      loadedBytes: this.#loadedBytes,
      totalBytes: this.#totalBytes,
      parts: { done: this.done, total: this.#files },
      fromCache: false,
      remainingMs: this.#timeLeft.after(this.#loadedBytes, this.#totalBytes),
    });
  }
}

/** Of the headers, those that what is kept is read by. Its size only where it is not packed. */
function keptHeaders(headers: Headers): Record<string, string> {
  const names = headers.has('content-encoding')
    ? ['content-type']
    : ['content-type', 'content-length'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

function total(shards: readonly Shard[]): number {
  return shards.reduce((sum, { bytes }) => sum + bytes, 0);
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

function isQuotaError(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}

/** What is worth another try is no TempoError. */
function refused(url: string, status: number): Error {
  const sentence = `The server answers ${status} for ${url}.`;
  if (status >= 500 || status === 429 || status === 408) return new Error(sentence);
  return new TempoError(
    'network',
    `${sentence} Check the model's address in appConfig, and that the file is there for everyone.`,
  );
}

function broken(url: string, cause: unknown): TempoError {
  const words = cause instanceof Error ? cause.message : String(cause);
  return new TempoError(
    'network',
    `The download of ${url} broke off (${words}). Check the connection and load again; what has arrived is kept.`,
    { cause },
  );
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await unlessAborted(new Promise((resolve) => setTimeout(resolve, ms)), signal);
}
