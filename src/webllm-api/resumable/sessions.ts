/** Loaded when a generation is to be kept, or those that are kept are asked for. */
import { TempoError } from '../../client';
import { randomId } from '../../client/random-id';
import type { ResumableGenerationConfig } from '../chat-types';
import type { ResumeProbeResult } from '../engine-types';
import type { Journal } from '../generation';
import { log } from '../log';
import { SessionJournal } from './journal';
import { lockSession } from './lock';
import { type KeptSession, probe, type Session } from './session';
import { IndexedDbStore, type SessionStore } from './store';

/** What a generation is begun with. */
export type Beginning = Pick<Session, 'modelId' | 'params' | 'streamed' | 'asked'>;

/** The generations that are kept. */
export class Sessions {
  readonly #store: SessionStore;

  constructor(store: SessionStore = new IndexedDbStore()) {
    this.#store = store;
  }

  /** Where nothing can be kept there is nothing. */
  async list(): Promise<ResumeProbeResult[]> {
    try {
      return (await this.#store.list()).map(probe);
    } catch (thrown) {
      if (thrown instanceof TempoError && thrown.code === 'unsupported') return [];
      throw thrown;
    }
  }

  async read(sessionId: string): Promise<KeptSession> {
    const kept = await this.#store.read(sessionId);
    if (kept !== undefined) return kept;
    throw new TempoError('invalid_request', `Resumable session not found: ${sessionId}.`, {
      param: 'sessionId',
    });
  }

  /** Throws where a generation of it runs. */
  async delete(sessionId: string): Promise<void> {
    const release = await lockSession(sessionId);
    try {
      await this.#store.delete(sessionId);
    } catch (thrown) {
      if (!(thrown instanceof TempoError) || thrown.code !== 'unsupported') throw thrown;
    } finally {
      release();
    }
  }

  /**
   * Begins to keep a generation. Undefined where it cannot be kept, which throws where that is strict. Throws
   * where there is a session of that name.
   */
  async begin(
    config: ResumableGenerationConfig,
    beginning: Beginning,
  ): Promise<Journal | undefined> {
    const session: Session = {
      ...beginning,
      // Only data is kept; what goes to a worker may be a page's proxies.
      params: JSON.parse(JSON.stringify(beginning.params)),
      sessionId: config.sessionId ?? randomId(),
      createdAtMs: Date.now(),
      durabilityMode: config.durabilityMode ?? 'exact',
      strictPersistence: config.strictPersistence ?? false,
    };
    const release = await lockSession(session.sessionId);
    try {
      if (await this.#store.create(session)) {
        return new SessionJournal(this.#store, session, 0, release);
      }
    } catch (thrown) {
      release();
      if (session.strictPersistence) throw thrown;
      log.warn('The generation is not kept.', thrown);
      return undefined;
    }
    release();
    throw new TempoError(
      'invalid_request',
      `Resumable session already exists: ${session.sessionId}. Delete it first, or choose another name.`,
      { param: 'extra_body.resumable.sessionId' },
    );
  }

  /** Takes a session to go on with it: what is kept of it, and what keeps the rest. */
  async resume(sessionId: string): Promise<{ kept: KeptSession; journal: SessionJournal }> {
    const release = await lockSession(sessionId);
    try {
      const kept = await this.read(sessionId);
      const { entries, session } = kept;
      const journal = new SessionJournal(this.#store, session, entries.length, release);
      return { kept, journal };
    } catch (thrown) {
      release();
      throw thrown;
    }
  }
}

/** Those of this origin. */
export const sessions = new Sessions();
