import { useCallback } from 'react';
import type { ChatOptions, ChatParams, ChatState } from './chat';
import { useChat } from './use-chat';

export type CompletionOptions = Omit<ChatOptions, 'initialMessages'>;

export interface UseCompletion extends Omit<ChatState, 'messages'> {
  /** The answer, as far as it has come; empty before the first. */
  completion: string;
  /** Asks, forgetting what was before. Resolves to the answer; to undefined where it was stopped or failed. */
  complete: (prompt: string, params?: ChatParams | null) => Promise<string | undefined>;
  stop: () => void;
}

/** One question, one answer: `useChat` without a history. */
export function useCompletion(options?: CompletionOptions | null): UseCompletion {
  const { messages, status, error, sendMessage, setMessages, stop } = useChat(options);
  const complete = useCallback(
    async (prompt: string, params?: ChatParams | null) => {
      setMessages([]);
      const answer = await sendMessage(prompt, params);
      return answer?.content;
    },
    [sendMessage, setMessages],
  );
  const answer = messages.at(-1);
  const completion = answer?.role === 'assistant' ? answer.content : '';
  return { completion, complete, status, error, stop };
}
