import { useEffect, useInsertionEffect, useState, useSyncExternalStore } from 'react';
import { Chat, type ChatOptions, type ChatState } from './chat';
import { useTempo } from './provider';

export interface UseChat extends ChatState {
  /**
   * Adds what the user says and streams the answer; `params` are for this answer alone. It stops the
   * one before. Resolves to the answer; to undefined where it was stopped or failed.
   */
  sendMessage: Chat['send'];
  /** Asks for the last answer again, after an error, too. */
  regenerate: Chat['regenerate'];
  /** Ends the answer that is under way; what has come of it stays. */
  stop: Chat['stop'];
  /** Replaces the messages: to begin anew, to restore, to edit. Stops what is under way. */
  setMessages: Chat['setMessages'];
}

/**
 * A conversation with the nearest Tempo, streamed into the component at most once a frame.
 *
 * ```tsx
 * const { messages, status, error, sendMessage, stop, regenerate } = useChat({
 *   system: 'Answer briefly.',
 *   slo: { class: 'latency', ttft: 800, tbt: 80 },
 * });
 * ```
 *
 * Options may change from render to render; the next request takes them. When the component is
 * unmounted, or its Tempo is another, the answer under way is stopped.
 */
export function useChat(options?: ChatOptions | null): UseChat {
  const tempo = useTempo();
  const current = options ?? NONE;
  const [chat] = useState(() => new Chat(tempo, current));
  useInsertionEffect(() => chat.configure(tempo, current));
  // biome-ignore lint/correctness/useExhaustiveDependencies: another Tempo ends what was under way
  useEffect(() => chat.stop, [chat, tempo]);
  const state = useSyncExternalStore(chat.subscribe, chat.get, chat.getServer);
  return {
    ...state,
    sendMessage: chat.send,
    regenerate: chat.regenerate,
    stop: chat.stop,
    setMessages: chat.setMessages,
  };
}

const NONE: ChatOptions = {};
