import { TempoError } from '../../client';
import type { Journal } from '../generation';
import { log } from '../log';
import type { Piece } from '../piece';
import type { Entry, Session, SessionEnd } from './session';
import type { SessionStore } from './store';

/** In the mode `relaxed`, how many tokens, and for how long, may be told before they are kept. */
const RELAXED_TOKENS = 8;
const RELAXED_MS = 250;

/** Keeps one generation as it comes. */
export class SessionJournal implements Journal {
  readonly #store: SessionStore;
  readonly #session: Session;
  readonly #release: () => void;
  #count: number;
  #pending: Entry[] = [];
  #keptMs = performance.now();
  /** What was not kept, so that no more is. */
  #broken = false;

  /** `count` entries are kept already; `release` lets go of the session. */
  constructor(store: SessionStore, session: Session, count: number, release: () => void) {
    this.#store = store;
    this.#session = session;
    this.#count = count;
    this.#release = release;
  }

  async record({ text, calls, tokens, promptTokens, finish }: Piece): Promise<void> {
    this.#pending.push({ text, calls, tokens, promptTokens });
    if (finish !== null) {
      await this.#keep({ kind: finish === 'abort' ? 'aborted' : 'finished' });
      this.#release();
    } else if (this.#due) {
      await this.#keep();
    }
  }

  async failed(error: unknown): Promise<void> {
    const { message } = TempoError.from(error);
    await this.#keep({ kind: 'failed', message }).catch(() => {});
    this.#release();
  }

  /** Nothing more will come: it was whole already. */
  async finished(): Promise<void> {
    await this.#keep({ kind: 'finished' });
    this.leave();
  }

  /** Lets go of the session, which stays as it is. */
  leave(): void {
    this.#release();
  }

  get #due(): boolean {
    if (this.#session.durabilityMode === 'exact') return true;
    const tokens = this.#pending.reduce((sum, entry) => sum + entry.tokens.length, 0);
    return tokens >= RELAXED_TOKENS || performance.now() - this.#keptMs >= RELAXED_MS;
  }

  async #keep(end?: SessionEnd): Promise<void> {
    if (this.#broken) return;
    const entries = this.#pending;
    this.#pending = [];
    try {
      await this.#store.append(this.#session.sessionId, this.#count, entries, end);
      this.#count += entries.length;
      this.#keptMs = performance.now();
    } catch (thrown) {
      this.#broken = true;
      if (this.#session.strictPersistence) throw thrown;
      log.warn(`The generation "${this.#session.sessionId}" is not kept any more.`, thrown);
    }
  }
}
