import { create } from 'zustand';
import { createJSONStorage, persist, type StateStorage } from 'zustand/middleware';
import type { TempoErrorCode } from '../../client';
import { complete, errorOf, isAbort } from '../store/complete';
import { useLive } from '../store/live';
import { apps } from '../store/tempo';
import {
  again,
  createDocument,
  type Document,
  isDocument,
  isDone,
  nextPart,
  settled,
  withPart,
  withSummary,
} from './document';
import { shippedDocuments } from './documents';
import { extract } from './extract';

interface Summarizer {
  documents: readonly Document[];
  paused: boolean;
  /** Queues a text of the reader's own, before the others. Throws an Error that says what is wrong with it. */
  add(title: string, text: string): void;
  remove(id: string): void;
  /** Takes up a document again that failed, or from the start when it is done. */
  restart(id: string): void;
  setPaused(paused: boolean): void;
}

/** Calls under way at once. */
const CONCURRENCY = 8;
const MAX_CHARACTERS = 200_000;
const MAX_TOKENS = 96;

/** Errors that trying again will not mend. All others are the engine's, and the piece just waits for it. */
const LASTING: readonly TempoErrorCode[] = [
  'invalid_request',
  'invalid_slo',
  'context_length_exceeded',
  'unsupported',
  'engine_failed',
];
const RETRY_MS = 500;

/** localStorage, where there is room and leave for it. */
const storage: StateStorage = {
  getItem: (name) => localStorage.getItem(name),
  setItem(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // A full or forbidden store costs the resuming, not the summaries.
    }
  },
  removeItem: (name) => localStorage.removeItem(name),
};

let controller = new AbortController();
let underWay = 0;

export const useSummarizer = create<Summarizer>()(
  persist(
    (set, get) => ({
      documents: shippedDocuments(),
      paused: false,

      add(title, text) {
        if (text.trim() === '') throw new Error('There is no text in it.');
        if (text.includes('\0')) throw new Error('This is not a text file.');
        if (text.length > MAX_CHARACTERS) {
          throw new Error(
            `The text has ${text.length.toLocaleString('en')} characters; up to ${MAX_CHARACTERS.toLocaleString('en')} can be summarized.`,
          );
        }
        const id = `own-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 6)}`;
        set({ documents: [createDocument(id, title, text, true), ...get().documents] });
        pump();
      },

      remove(id) {
        set({ documents: get().documents.filter((document) => document.id !== id) });
      },

      restart(id) {
        edit(id, (document) =>
          isDone(document) ? again(document) : { ...settled(document), error: undefined },
        );
        pump();
      },

      setPaused(paused) {
        set({ paused });
        if (paused) {
          controller.abort();
          controller = new AbortController();
        } else pump();
      },
    }),
    {
      name: 'tempo.summarizer',
      version: 1,
      storage: createJSONStorage(() => storage),
      merge: (stored, initial) => ({ ...initial, ...restored(stored) }),
      partialize: ({ documents, paused }) => ({ documents: documents.map(settled), paused }),
    },
  ),
);

/** Of what was stored, what can be used. Anything may be there: another version's, or a reader's. */
function restored(stored: unknown): Partial<Summarizer> {
  const { documents, paused } = Object(stored) as Record<string, unknown>;
  return {
    ...(Array.isArray(documents) && documents.every(isDocument) && { documents }),
    ...(typeof paused === 'boolean' && { paused }),
  };
}

function edit(id: string, change: (document: Document) => Document): void {
  useSummarizer.setState(({ documents }) => ({
    documents: documents.map((document) => (document.id === id ? change(document) : document)),
  }));
}

/** Starts as many calls as may be under way; called whenever one could have become possible. */
function pump(): void {
  if (useLive.getState().state.phase !== 'ready') return;
  while (underWay < CONCURRENCY && !useSummarizer.getState().paused) {
    const { documents } = useSummarizer.getState();
    const document = documents.find((d) => nextPart(d) !== undefined);
    if (document === undefined) return;
    void summarize(document);
  }
}

async function summarize(document: Document): Promise<void> {
  const next = nextPart(document);
  if (next === undefined) return;
  const { id } = document;
  const { level, at } = next;
  const { text } = document.levels[level][at];
  const reduce = level > 0;
  underWay++;
  edit(id, (d) => withPart(d, level, at, { state: 'active' }));
  try {
    const reply = await complete(
      apps.summarizer.chat.completions,
      {
        messages: [
          {
            role: 'system',
            content: reduce
              ? 'You are given summaries of the parts of one text. Join them into one of at most three sentences.'
              : 'Summarize the text in at most two sentences.',
          },
          { role: 'user', content: text },
        ],
        stage: reduce ? 'reduce' : 'map',
        max_tokens: MAX_TOKENS,
        temperature: 0.2,
        simulate: { content: extract(text, reduce ? 3 : 2) },
      },
      { signal: controller.signal },
    );
    edit(id, (d) => withSummary(d, level, at, reply));
  } catch (thrown) {
    const error = errorOf(thrown);
    const lasting = LASTING.includes(error.code);
    edit(id, (d) => ({
      ...withPart(d, level, at, { state: 'waiting' }),
      error: lasting ? error : d.error,
    }));
    if (!lasting && !isAbort(thrown)) await after(error.retryAfterMs ?? RETRY_MS);
  } finally {
    underWay--;
    pump();
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Begins work, and goes on whenever the engine is ready again. */
export function startSummarizer(): void {
  useSummarizer.setState(({ documents }) => ({ documents: documents.map(settled) }));
  useLive.subscribe(({ state }, before) => {
    if (state.phase === 'ready' && before.state.phase !== 'ready') pump();
  });
  pump();
}
