import {
  type ChatCompletionParams,
  type ChatMessage,
  type Tempo,
  TempoError,
  type ToolCall,
} from '../client';
import { randomId } from '../client/random-id';
import { eachFrame } from './each-frame';
import {
  type GivenMessage,
  requestMessages,
  shownMessage,
  shownMessages,
  type UiMessage,
} from './messages';
import type { Store } from './selected';

/** What goes with every request: `temperature`, `max_tokens`, `tools`, `slo`, `stage` and so on. */
export type ChatParams = Omit<ChatCompletionParams, 'messages' | 'stream' | 'stream_options' | 'n'>;

/** `submitted`: nothing of the answer is there yet, be it that the model still loads. */
export type ChatStatus = 'ready' | 'submitted' | 'streaming' | 'error';

export interface ChatState {
  readonly messages: readonly UiMessage[];
  readonly status: ChatStatus;
  /** What went wrong last; undefined as soon as something is tried again. */
  readonly error: TempoError | undefined;
}

export interface ChatOptions extends ChatParams {
  /** Whose requests these are. Default: `chat`. */
  app?: string | null;
  /** Goes first in every request; it is not among the messages. */
  system?: string | null;
  /** The conversation so far. Read once. */
  initialMessages?: readonly GivenMessage[] | null;
  /**
   * Does what a tool call asks for. What it returns goes to the model as the tool's answer (an object as
   * JSON; an error as its message), and the model is asked again.
   */
  onToolCall?: ((call: ToolCall, signal: AbortSignal) => unknown) | null;
  /** Answers to one message, those that call tools included, 1 or more. Default: 8. */
  maxRounds?: number | null;
  /** An answer is complete. */
  onFinish?: ((message: UiMessage) => void) | null;
  onError?: ((error: TempoError) => void) | null;
}

const DEFAULT_ROUNDS = 8;

/** A conversation: its messages, and the request that is under way. Knows nothing of React. */
export class Chat implements Store<ChatState> {
  readonly #listeners = new Set<() => void>();
  #state: ChatState;
  #tempo: Tempo;
  #options: ChatOptions;
  /** Of the answer that is under way. */
  #running: AbortController | undefined;
  /** Shows what has come of it and is not shown yet. */
  #flush = () => {};

  constructor(tempo: Tempo, options: ChatOptions) {
    this.#tempo = tempo;
    this.#options = options;
    const messages = shownMessages(
      options.initialMessages ?? [],
      'initialMessages',
      (at) => `initial-${at}`,
    );
    this.#state = { messages, status: 'ready', error: undefined };
  }

  /** From the next request on. */
  configure(tempo: Tempo, options: ChatOptions): void {
    this.#tempo = tempo;
    this.#options = options;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get = (): ChatState => this.#state;

  getServer = (): ChatState => this.#state;

  /**
   * Adds what the user says, or messages of whichever kind, and streams the answer. Resolves to that; to
   * undefined where it was stopped or failed. Rejects with `invalid_request` for what is no message.
   */
  send = async (
    said: string | ChatMessage | readonly ChatMessage[],
    params?: ChatParams | null,
  ): Promise<UiMessage | undefined> => {
    const spoken = typeof said === 'string' ? ({ role: 'user', content: said } as const) : said;
    const added = shownMessages(isList(spoken) ? spoken : [spoken], 'message', newId);
    this.stop();
    this.#set({ messages: [...this.#state.messages, ...added] });
    return this.#answer(params);
  };

  /** Asks for the last answer again: that one is dropped, or what has come of it. */
  regenerate = async (params?: ChatParams | null): Promise<UiMessage | undefined> => {
    this.stop();
    const { messages } = this.#state;
    const asked = messages.at(-1)?.role === 'assistant' ? messages.slice(0, -1) : messages;
    if (asked.length === 0) return undefined;
    this.#set({ messages: asked });
    return this.#answer(params);
  };

  /** Ends the answer that is under way; what has come of it stays. */
  stop = (): void => {
    const running = this.#running;
    if (running === undefined) return;
    this.#flush();
    this.#running = undefined;
    running.abort();
    const last = this.#state.messages.at(-1);
    if (last?.role === 'assistant' && last.finish_reason === undefined) {
      this.#show({ ...last, finish_reason: 'abort' });
    }
    this.#set({ status: 'ready' });
  };

  /** Stops what is under way first. */
  setMessages = (
    next: readonly GivenMessage[] | ((messages: readonly UiMessage[]) => readonly GivenMessage[]),
  ): void => {
    this.stop();
    const messages = typeof next === 'function' ? next(this.#state.messages) : next;
    this.#set({ messages: shownMessages(messages, 'messages', newId) });
  };

  async #answer(params: ChatParams | null | undefined): Promise<UiMessage | undefined> {
    const controller = new AbortController();
    this.#running = controller;
    this.#set({ status: 'submitted', error: undefined });
    try {
      const rounds = roundsOf(this.#options);
      let answer: UiMessage | undefined;
      for (let round = 1; round <= rounds; round++) {
        answer = await this.#stream(controller.signal, params);
        const results = await this.#callTools(answer, controller.signal);
        if (this.#running !== controller) return undefined; // stopped
        if (results.length === 0) break;
        this.#set({ messages: [...this.#state.messages, ...results], status: 'submitted' });
      }
      this.#running = undefined;
      this.#set({ status: 'ready' });
      return answer;
    } catch (thrown) {
      if (this.#running !== controller) return undefined; // stopped
      this.#running = undefined;
      const error = TempoError.from(thrown);
      this.#set({ status: 'error', error });
      call(this.#options.onError, error);
      return undefined;
    }
  }

  /** One request and its answer, shown as it comes. */
  async #stream(signal: AbortSignal, extra: ChatParams | null | undefined): Promise<UiMessage> {
    const { app, system, initialMessages, onToolCall, maxRounds, onFinish, onError, ...params } =
      this.#options;
    const messages = requestMessages(this.#state.messages, system);
    const { completions } = this.#tempo.app(app ?? 'chat').chat;
    const stream = await completions.create(
      { ...params, ...extra, messages, n: 1, stream: true },
      { signal },
    );
    let message: UiMessage = { id: newId(), role: 'assistant', content: '' };
    const frames = eachFrame(() => {
      if (signal.aborted) return;
      this.#show(message);
      if (this.#state.status !== 'streaming') this.#set({ status: 'streaming' });
    });
    this.#flush = frames.flush;
    try {
      for await (const { choices, simulated } of stream) {
        const { content = '', reasoning_content: reasoning } = choices[0]?.delta ?? {};
        if (content === '' && reasoning === undefined) continue;
        message = {
          ...message,
          content: `${message.content}${content}`,
          ...(reasoning && {
            reasoning_content: `${message.reasoning_content ?? ''}${reasoning}`,
          }),
          simulated,
        };
        frames.request();
      }
      const { choices, usage, simulated } = await stream.final();
      const [{ message: whole, finish_reason }] = choices;
      message = { ...shownMessage(whole, message.id), finish_reason, usage, simulated };
      frames.request();
    } finally {
      frames.flush(); // before an error, too; after a stop it does nothing
      this.#flush = () => {};
    }
    call(this.#options.onFinish, message);
    return message;
  }

  /** The tools' answers to the calls of a message; none where there are no calls, or nobody to do them. */
  async #callTools(message: UiMessage, signal: AbortSignal): Promise<UiMessage[]> {
    const { onToolCall } = this.#options;
    const calls = message.tool_calls ?? [];
    if (!onToolCall) return [];
    const results = Promise.all(
      calls.map(async (call): Promise<UiMessage> => {
        const content = await resultOf(() => onToolCall(call, signal));
        return { id: newId(), role: 'tool', tool_call_id: call.id, content };
      }),
    );
    // A tool may heed the signal late, or not at all.
    return Promise.race([results, aborted(signal)]);
  }

  /** Puts a message in the place of the one with its id, or last. */
  #show(message: UiMessage): void {
    const { messages } = this.#state;
    const at = messages.findLastIndex(({ id }) => id === message.id);
    this.#set({ messages: at < 0 ? [...messages, message] : messages.with(at, message) });
  }

  #set(change: Partial<ChatState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Throws `invalid_request` for a number of rounds in which nothing would be asked. */
function roundsOf({ maxRounds }: ChatOptions): number {
  const rounds = maxRounds ?? DEFAULT_ROUNDS;
  if (typeof rounds === 'number' && rounds >= 1) return rounds;
  throw new TempoError('invalid_request', 'maxRounds must be a number of at least 1.', {
    param: 'maxRounds',
  });
}

function isList(said: ChatMessage | readonly ChatMessage[]): said is readonly ChatMessage[] {
  return Array.isArray(said);
}

/** A callback's failure is shown, and changes nothing. */
function call<T>(listener: ((value: T) => void) | null | undefined, value: T): void {
  try {
    listener?.(value);
  } catch (error) {
    console.error('A callback of a chat threw an error.', error);
  }
}

function aborted(signal: AbortSignal): Promise<never[]> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve([])));
}

/** What a tool returned, as the text of its message. Its failure is an answer, too. */
async function resultOf(run: () => unknown): Promise<string> {
  try {
    const result = await run();
    return typeof result === 'string' ? result : (JSON.stringify(result) ?? 'null');
  } catch (thrown) {
    return JSON.stringify({ error: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

const newId = () => `message-${randomId()}`;
