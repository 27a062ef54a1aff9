import {
  type ChatFinishReason,
  type ChatMessage,
  TempoError,
  type ToolCall,
  type Usage,
} from '../client';

/** A message's content in parts, as OpenAI has it. */
export type MessageParts = Exclude<ChatMessage['content'], string | null | undefined>;

/** A message as it is shown: OpenAI's, and what is known of how it came about. */
export interface UiMessage {
  /** Stays the same while the answer grows: a key for React. */
  readonly id: string;
  readonly role: ChatMessage['role'];
  /** Its text; empty where there is none. */
  readonly content: string;
  /** What goes to the model in place of `content`: a message that was given in parts. */
  readonly parts?: MessageParts;
  readonly name?: string | null;
  readonly tool_calls?: readonly ToolCall[] | null;
  /** Which call a tool's message answers. */
  readonly tool_call_id?: string | null;
  /** A thinking model's reasoning, apart from the answer. */
  readonly reasoning_content?: string | null;
  /** Absent while the answer grows, or when it failed; `abort` when it was stopped. */
  readonly finish_reason?: ChatFinishReason;
  /** Tokens, times and whether the objective was met; of a complete answer. */
  readonly usage?: Usage;
  /** The text was made up by the simulated engine. */
  readonly simulated?: boolean;
}

/** A message from outside: OpenAI's, or one that was shown before. One without an id is given one. */
export type GivenMessage = (ChatMessage & { readonly id?: string }) | UiMessage;

/** Messages as they are shown. Throws `invalid_request`, naming `param`, for what are none. */
export function shownMessages(
  messages: readonly GivenMessage[],
  param: string,
  idOf: (at: number) => string,
): UiMessage[] {
  const good =
    Array.isArray(messages) &&
    messages.every((message) => typeof message === 'object' && typeof message?.role === 'string');
  if (!good) {
    throw new TempoError(
      'invalid_request',
      'A message is a string, or an object with a role and content.',
      { param },
    );
  }
  return messages.map((message, at) =>
    isShown(message) ? message : shownMessage(message, message.id ?? idOf(at)),
  );
}

function isShown(message: GivenMessage): message is UiMessage {
  return message.id !== undefined && typeof message.content === 'string';
}

export function shownMessage(message: GivenMessage, id: string): UiMessage {
  const { content, ...rest } = message;
  if (typeof content === 'string') return { ...rest, id, content };
  if (content === null || content === undefined) return { ...rest, id, content: '' };
  const parts: MessageParts = content;
  const texts = parts.map((part) => ('text' in part ? part.text : ''));
  return { ...rest, id, content: texts.join(''), parts };
}

/** The messages as a request takes them: without what only the page needs, and what never came to be. */
export function requestMessages(
  messages: readonly UiMessage[],
  system: string | null | undefined,
): ChatMessage[] {
  const answered = new Set(messages.map((message) => message.tool_call_id));
  const request: ChatMessage[] = system ? [{ role: 'system', content: system }] : [];
  for (const shown of messages) {
    const { id, content, parts, tool_calls: calls, ...more } = shown;
    const { reasoning_content, finish_reason, usage, simulated, ...rest } = more;
    // Stopped before its tools were done: the model must not wait for them.
    const calling = calls?.some((call) => answered.has(call.id)) ?? false;
    const said = parts ?? content;
    if (rest.role === 'assistant' && !calling && said.length === 0) continue;
    const message = { ...rest, content: said, ...(calling && { tool_calls: calls }) };
    request.push(message as ChatMessage); // whether it is one the server says, by name
  }
  return request;
}
