import { TempoError } from '../../client';
import type { Entry, KeptSession, Session, SessionEnd } from './session';

/** Where sessions are kept. */
export interface SessionStore {
  /** False where there is one of that name. */
  create(session: Session): Promise<boolean>;
  /** Appends entries, the first being the session's `from`th; `end` is how it ended, if it did. */
  append(
    sessionId: string,
    from: number,
    entries: readonly Entry[],
    end?: SessionEnd,
  ): Promise<void>;
  read(sessionId: string): Promise<KeptSession | undefined>;
  list(): Promise<KeptSession[]>;
  delete(sessionId: string): Promise<void>;
}

const DATABASE = 'tempo-webllm-sessions';
const SESSIONS = 'sessions';
const ENTRIES = 'entries';

/** Sessions in IndexedDB: of this origin, for all its pages. */
export class IndexedDbStore implements SessionStore {
  #opening: Promise<IDBDatabase> | undefined;

  create(session: Session): Promise<boolean> {
    return this.#transact('readwrite', async (stores) => {
      const there = await settled(stores(SESSIONS).getKey(session.sessionId));
      if (there !== undefined) return false;
      await settled(stores(SESSIONS).add(session));
      return true;
    });
  }

  append(
    sessionId: string,
    from: number,
    entries: readonly Entry[],
    end?: SessionEnd,
  ): Promise<void> {
    return this.#transact('readwrite', async (stores) => {
      entries.forEach((entry, i) => {
        stores(ENTRIES).put(entry, [sessionId, from + i]);
      });
      const session = await settled<Session | undefined>(stores(SESSIONS).get(sessionId));
      if (session === undefined) throw deleted(sessionId);
      if (session.end !== end) stores(SESSIONS).put({ ...session, end });
    });
  }

  read(sessionId: string): Promise<KeptSession | undefined> {
    return this.#transact('readonly', async (stores) => {
      const session = await settled<Session | undefined>(stores(SESSIONS).get(sessionId));
      return session && { session, entries: await entriesOf(stores(ENTRIES), sessionId) };
    });
  }

  list(): Promise<KeptSession[]> {
    return this.#transact('readonly', async (stores) => {
      const sessions = await settled<Session[]>(stores(SESSIONS).getAll());
      return Promise.all(
        sessions.map(async (session) => ({
          session,
          entries: await entriesOf(stores(ENTRIES), session.sessionId),
        })),
      );
    });
  }

  delete(sessionId: string): Promise<void> {
    return this.#transact('readwrite', async (stores) => {
      stores(SESSIONS).delete(sessionId);
      stores(ENTRIES).delete(entryKeys(sessionId));
    });
  }

  /** Resolves when all of it is on the disk. */
  async #transact<T>(
    mode: IDBTransactionMode,
    run: (stores: (name: string) => IDBObjectStore) => Promise<T>,
  ): Promise<T> {
    const database = await this.#open();
    const transaction = database.transaction([SESSIONS, ENTRIES], mode, { durability: 'strict' });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    try {
      const [value] = await Promise.all([run((name) => transaction.objectStore(name)), done]);
      return value;
    } catch (thrown) {
      undo(transaction);
      throw thrown;
    }
  }

  #open(): Promise<IDBDatabase> {
    this.#opening ??= openDatabase().catch((thrown) => {
      this.#opening = undefined;
      throw thrown;
    });
    return this.#opening;
  }
}

/** Leaves nothing half done. */
function undo(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It is over already.
  }
}

async function openDatabase(): Promise<IDBDatabase> {
  if (!('indexedDB' in globalThis)) {
    throw new TempoError('unsupported', 'Generations cannot be kept here: there is no IndexedDB.');
  }
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(SESSIONS, { keyPath: 'sessionId' });
    opening.result.createObjectStore(ENTRIES);
  };
  return settled(opening);
}

function entriesOf(store: IDBObjectStore, sessionId: string): Promise<Entry[]> {
  return settled(store.getAll(entryKeys(sessionId)));
}

/** Those of one session, in order. */
function entryKeys(sessionId: string): IDBKeyRange {
  return IDBKeyRange.bound([sessionId, 0], [sessionId, Number.POSITIVE_INFINITY]);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function deleted(sessionId: string): TempoError {
  return new TempoError('aborted', `The session "${sessionId}" was deleted while it ran.`);
}
