import { create } from 'zustand';
import type { ChatMessage, SimulatedReply, TempoErrorJson, Usage } from '../../client';
import { complete, errorOf, isAbort, noAnswer } from '../store/complete';
import { apps, tempo } from '../store/tempo';
import { replyTo } from './chat-script';
import { leftOut } from './left-out';

/** Who is talking: a scripted visitor, or the reader. */
export type Channel = 'demo' | 'you';

export interface Message {
  key: number;
  role: 'user' | 'assistant';
  text: string;
  state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  /** Expected wait while it is queued, ms. */
  estimatedWaitMs?: number;
  simulated?: boolean;
  usage?: Usage;
  error?: TempoErrorJson;
}

interface Chat {
  /** The conversation on show; the other goes on unseen. */
  channel: Channel;
  conversations: Record<Channel, readonly Message[]>;
  /** How many of the first messages no longer go with a question: they do not fit the context window. */
  unseen: Record<Channel, number>;
  show(channel: Channel): void;
  /** Sends a message and streams the answer; resolves when the answer has ended, however it did. */
  send(channel: Channel, text: string, simulate?: SimulatedReply): Promise<void>;
  /** Asks the last question again. */
  retry(channel: Channel): Promise<void>;
  stop(channel: Channel): void;
  clear(channel: Channel): void;
}

const MAX_TOKENS = 512;
const SYSTEM = 'You are a helpful assistant. Answer briefly, in Markdown.';

const running: Partial<Record<Channel, AbortController>> = {};
let keys = 0;

export const useChat = create<Chat>()((set, get) => {
  const edit = (channel: Channel, change: (messages: readonly Message[]) => readonly Message[]) =>
    set(({ conversations }) => ({
      conversations: { ...conversations, [channel]: change(conversations[channel]) },
    }));

  async function answer(channel: Channel, simulate: SimulatedReply): Promise<void> {
    const controller = new AbortController();
    running[channel]?.abort();
    running[channel] = controller;
    const asked = get().conversations[channel];
    const key = keys++;
    const update = (more: Partial<Message>) =>
      edit(channel, (all) => all.map((m) => (m.key === key ? { ...m, ...more } : m)));
    edit(channel, (all) => [...all, { key, role: 'assistant', text: '', state: 'waiting' }]);
    try {
      const unseen = await tooMany(asked);
      set((chat) => ({ unseen: { ...chat.unseen, [channel]: unseen } }));
      const reply = await complete(
        apps.chat.chat.completions,
        { messages: prompt(asked.slice(unseen)), stage: 'reply', max_tokens: MAX_TOKENS, simulate },
        {
          signal: controller.signal,
          onQueued: (estimatedWaitMs) => update({ estimatedWaitMs }),
          onProgress: ({ content, simulated }) =>
            update({ text: content, state: content === '' ? 'waiting' : 'streaming', simulated }),
        },
      );
      if (reply.content.trim() === '') throw noAnswer();
      update({ state: 'done', usage: reply.usage });
    } catch (thrown) {
      if (isAbort(thrown)) update({ state: 'stopped' });
      else update({ state: 'failed', error: errorOf(thrown) });
    } finally {
      if (running[channel] === controller) delete running[channel];
    }
  }

  return {
    channel: 'demo',
    conversations: { demo: [], you: [] },
    unseen: { demo: 0, you: 0 },

    show: (channel) => set({ channel }),

    async send(channel, text, simulate = replyTo(text)) {
      edit(channel, (all) => [...all, { key: keys++, role: 'user', text, state: 'done' }]);
      await answer(channel, simulate);
    },

    async retry(channel) {
      const messages = get().conversations[channel];
      const at = messages.findLastIndex((m) => m.role === 'user');
      if (at < 0) return;
      edit(channel, (all) => all.slice(0, at + 1));
      await answer(channel, replyTo(messages[at].text));
    },

    stop(channel) {
      running[channel]?.abort();
    },

    clear(channel) {
      running[channel]?.abort();
      edit(channel, () => []);
      set((chat) => ({ unseen: { ...chat.unseen, [channel]: 0 } }));
    },
  };
});

/** How many of the first messages have to be left out so that the rest, and an answer, fit the context window. */
function tooMany(messages: readonly Message[]): Promise<number> {
  const { state } = tempo;
  if (state.phase !== 'ready') return Promise.resolve(0);
  const { contextWindow, maxPromptTokens } = state.limits;
  const most = Math.min(maxPromptTokens, contextWindow - MAX_TOKENS);
  const questions = messages.flatMap(({ role }, at) => (role === 'user' ? [at] : []));
  return leftOut(questions, async (from) => {
    try {
      const params = { messages: prompt(messages.slice(from)) };
      return (await tempo.countTokens(params)) <= most;
    } catch (thrown) {
      // What is far too long is not even counted.
      if (errorOf(thrown).code === 'context_length_exceeded') return false;
      throw thrown;
    }
  });
}

/** The conversation as a prompt: whole turns, without what failed. */
function prompt(messages: readonly Message[]): ChatMessage[] {
  const turns: ChatMessage[] = [];
  for (const message of messages) {
    if (message.text === '' && message.role === 'assistant') continue;
    turns.push({ role: message.role, content: message.text });
  }
  return [{ role: 'system', content: SYSTEM }, ...turns];
}
