/**
 * What WebLLM (0.2.86) has kept in the browser. It offers no way to ask how much that is, and its own
 * `deleteModelAllInfoInCache` leaves files behind and may go to the network; so its stores are read here
 * as it writes them.
 */
import { TempoError } from '../../scheduler';
import type { AppConfig } from './app-config';
import type { CacheScope, ModelFile } from './model-files';

/** One backend's files. */
export interface ArtifactStore {
  /** Addresses of all that is kept in a scope. */
  addresses(scope: CacheScope): Promise<Set<string>>;
  /** A kept file as JSON; undefined where it is not kept. */
  json(file: ModelFile): Promise<unknown>;
  /** A kept file's size; undefined where it is not kept. Reads it, in the worst case: for small files. */
  bytes(file: ModelFile): Promise<number | undefined>;
  delete(file: ModelFile): Promise<void>;
}

/** The store of `appConfig`'s backend. Throws `unsupported` for one that cannot be looked into. */
export function artifactStore({ cacheBackend }: Pick<AppConfig, 'cacheBackend'>): ArtifactStore {
  if (cacheBackend === 'indexeddb') return 'indexedDB' in globalThis ? indexedDbStore : NOTHING;
  if (cacheBackend === 'opfs') return opfsStore;
  if (cacheBackend === 'cross-origin' && 'crossOriginStorage' in navigator) {
    throw new TempoError(
      'unsupported',
      'What the Cross-Origin Storage extension keeps cannot be listed or deleted from a page; its own settings can.',
      { param: 'appConfig.cacheBackend' },
    );
  }
  return 'caches' in globalThis ? cacheApiStore : NOTHING;
}

/** Outside a secure context, and in Node. */
const NOTHING: ArtifactStore = {
  addresses: async () => new Set(),
  json: async () => undefined,
  bytes: async () => undefined,
  delete: async () => {},
};

const cacheApiStore: ArtifactStore = {
  async addresses(scope) {
    const requests = await (await caches.open(scope)).keys();
    return new Set(requests.map(({ url }) => url));
  },
  async json(file) {
    return (await cached(file))?.json();
  },
  async bytes(file) {
    const response = await cached(file);
    if (response === undefined) return undefined;
    const length = response.headers.get('content-length');
    const plain = !response.headers.has('content-encoding');
    return plain && length !== null ? Number(length) : (await response.blob()).size;
  },
  async delete({ scope, url }) {
    await (await caches.open(scope)).delete(url, { ignoreVary: true });
  },
};

async function cached({ scope, url }: ModelFile): Promise<Response | undefined> {
  return (await caches.open(scope)).match(url);
}

/** A database a scope, with one store of `{ url, data }`. */
const indexedDbStore: ArtifactStore = {
  async addresses(scope) {
    const keys = await query(scope, 'readonly', (store) => store.getAllKeys());
    return new Set(keys.map(String));
  },
  async json(file) {
    const data = await storedData(file);
    return data instanceof ArrayBuffer ? JSON.parse(new TextDecoder().decode(data)) : data;
  },
  async bytes(file) {
    const data = await storedData(file);
    if (data === undefined) return undefined;
    return data instanceof ArrayBuffer ? data.byteLength : JSON.stringify(data).length;
  },
  async delete({ scope, url }) {
    await query(scope, 'readwrite', (store) => store.delete(url));
  },
};

async function storedData({ scope, url }: ModelFile): Promise<unknown> {
  const found: unknown = await query(scope, 'readonly', (store) => store.get(url));
  return typeof found === 'object' && found !== null ? Reflect.get(found, 'data') : undefined;
}

async function query<T>(
  scope: CacheScope,
  mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(scope, 1);
  // As WebLLM does: a database without the store would be of no use to it ever after.
  opening.onupgradeneeded = () => opening.result.createObjectStore('urls', { keyPath: 'url' });
  const database = await settled(opening);
  try {
    return await settled(ask(database.transaction('urls', mode).objectStore('urls')));
  } finally {
    database.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** A folder a scope, with two files each: what was kept (`.bin`), and its address and size (`.record.json`). */
const opfsStore: ArtifactStore = {
  async addresses(scope) {
    return new Set((await records(scope)).keys());
  },
  async json(file) {
    const found = await payload(file);
    return found === undefined ? undefined : JSON.parse(await found.text());
  },
  async bytes(file) {
    return (await payload(file))?.size;
  },
  async delete({ scope, url }) {
    const name = (await records(scope)).get(url);
    const folder = await scopeFolder(scope);
    if (name === undefined || folder === undefined) return;
    for (const ending of [RECORD, PAYLOAD]) {
      await folder.removeEntry(name + ending).catch(unlessMissing);
    }
  },
};

const RECORD = '.record.json';
const PAYLOAD = '.bin';

/** What a scope's records tell: addresses, and the names of their files. */
async function records(scope: CacheScope): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const folder = await scopeFolder(scope);
  for await (const [name, handle] of folder?.entries() ?? []) {
    if (!(handle instanceof FileSystemFileHandle) || !name.endsWith(RECORD)) continue;
    try {
      const { url } = JSON.parse(await (await handle.getFile()).text()) as { url?: unknown };
      if (typeof url === 'string') found.set(url, name.slice(0, -RECORD.length));
    } catch {
      // Half written: WebLLM takes it for missing, too.
    }
  }
  return found;
}

async function payload({ scope, url }: ModelFile): Promise<File | undefined> {
  const name = (await records(scope)).get(url);
  const folder = await scopeFolder(scope);
  if (name === undefined) return undefined;
  const handle = await folder?.getFileHandle(name + PAYLOAD).catch(unlessMissing);
  return handle?.getFile();
}

async function scopeFolder(scope: CacheScope): Promise<FileSystemDirectoryHandle | undefined> {
  const names = ['tvmjs-opfs-store', ...scope.split('/')];
  let folder = await (
    globalThis.navigator as Partial<Navigator> | undefined
  )?.storage?.getDirectory();
  for (const name of names) {
    folder = await folder?.getDirectoryHandle(encodeURIComponent(name)).catch(unlessMissing);
  }
  return folder;
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof DOMException && error.name === 'NotFoundError') return undefined;
  throw error;
}
