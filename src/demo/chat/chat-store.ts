import { create } from 'zustand';
import type { ChatMessage, SimulatedReply, TempoErrorJson, Usage } from '../../client';
import { complete, errorOf, isAbort, noAnswer } from '../store/complete';
import { apps } from '../store/tempo';
import { replyTo } from './chat-script';

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
  show(channel: Channel): void;
  /** Sends a message and streams the answer; resolves when the answer has ended, however it did. */
  send(channel: Channel, text: string, simulate?: SimulatedReply): Promise<void>;
  /** Asks the last question again. */
  retry(channel: Channel): Promise<void>;
  stop(channel: Channel): void;
  clear(channel: Channel): void;
}

/** Turns of the conversation that go with a question. */
const TURNS_KEPT = 12;
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
    const messages = prompt(get().conversations[channel]);
    const key = keys++;
    const update = (more: Partial<Message>) =>
      edit(channel, (all) => all.map((m) => (m.key === key ? { ...m, ...more } : m)));
    edit(channel, (all) => [...all, { key, role: 'assistant', text: '', state: 'waiting' }]);
    try {
      const reply = await complete(
        apps.chat.chat.completions,
        { messages, stage: 'reply', max_tokens: MAX_TOKENS, simulate },
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
    },
  };
});

/** The conversation as a prompt: whole turns, without what failed. */
function prompt(messages: readonly Message[]): ChatMessage[] {
  const turns: ChatMessage[] = [];
  for (const message of messages.slice(-TURNS_KEPT)) {
    if (message.text === '' && message.role === 'assistant') continue;
    turns.push({ role: message.role, content: message.text });
  }
  while (turns[0]?.role === 'assistant') turns.shift();
  return [{ role: 'system', content: SYSTEM }, ...turns];
}
