import type {
  ChatCompletionParams,
  ChatMessage,
  ModelLimits,
  SimulatedReply,
  Slo,
  Tempo,
  TempoApp,
  ToolCall,
} from '../client';
import { abortable } from './abortable';
import { type Constraint, guided } from './constraint';
import { Conversation } from './conversation';
import { noImages, quotaExceeded } from './errors';
import { checkPrompt, type Prompt, type PromptMessage } from './prompt';
import { type Sampling, samplingFields } from './sampling';
import { TaskQueue } from './task-queue';
import { runCalls, type SessionTool } from './tools';

/** Room that the context window keeps for an answer: so many tokens, or a quarter of a small window. */
const ANSWER_ROOM = 1024;

/** Answers in a row that call tools; the next has to do without. */
const MAX_TOOL_ROUNDS = 16;

/** What a session and its clones share. */
export interface SessionOptions {
  app: string;
  slo?: Slo;
  sampling: Sampling;
  tools: readonly SessionTool[];
  /** Prompts may hold images. */
  images: boolean;
  initialPrompts: readonly PromptMessage[];
  simulate?: (request: ChatCompletionParams) => SimulatedReply | undefined;
}

/** A model that is loaded. */
export interface LoadedTempo {
  tempo: Tempo;
  limits: ModelLimits;
}

/** What is asked in one turn. */
export interface Turn {
  messages: readonly PromptMessage[];
  constraint?: Constraint;
  /** The constraint is told to the model, too. */
  guide?: boolean;
}

/** One conversation: it keeps within the context window, and takes one turn after the other. */
export class Session {
  /** The oldest of the conversation was dropped. */
  onOverflow = () => {};
  readonly options: SessionOptions;
  readonly limits: ModelLimits;
  readonly #tempo: Tempo;
  readonly #app: TempoApp;
  readonly #turns = new TaskQueue();
  #conversation: Conversation;
  #usage: number;

  private constructor(
    { tempo, limits }: LoadedTempo,
    options: SessionOptions,
    conversation: Conversation,
    usage: number,
  ) {
    this.options = options;
    this.limits = limits;
    this.#tempo = tempo;
    this.#app = tempo.app(options.app);
    this.#conversation = conversation;
    this.#usage = usage;
  }

  /**
   * Rejects with a QuotaExceededError where the initial prompts and tools leave no room, and with a
   * NotSupportedError where it is to take images and the model takes none.
   */
  static async open(loaded: LoadedTempo, options: SessionOptions): Promise<Session> {
    if (options.images && !loaded.limits.images) throw noImages();
    const place = { hasHistory: false, noImages: notExpected(options) };
    const { messages } = await checkPrompt(options.initialPrompts, place);
    const session = new Session(loaded, options, new Conversation(messages), 0);
    // Tools alone are counted with an empty message, but are no conversation yet.
    const tokens = await session.#count(isEmpty(messages) ? EMPTY : { messages, continued: false });
    if (tokens > session.contextWindow) throw quotaExceeded(tokens, session.contextWindow);
    if (!isEmpty(messages)) session.#usage = tokens;
    return session;
  }

  /** Tokens of the conversation. */
  get contextUsage(): number {
    return this.#usage;
  }

  /** Tokens that the conversation may have. */
  get contextWindow(): number {
    const { contextWindow, maxPromptTokens } = this.limits;
    const room = Math.min(ANSWER_ROOM, Math.floor(contextWindow / 4));
    return Math.min(contextWindow - room, maxPromptTokens);
  }

  /** Answers; `onText` gets the answer's text piece by piece. */
  prompt(turn: Turn, signal: AbortSignal, onText: (text: string) => void): Promise<void> {
    return this.#turns.run(signal, async () => {
      const prompt = await this.#promptOf(turn, !this.#conversation.isEmpty);
      const asked = prompt.messages.length === 0 && this.#conversation.isEmpty ? EMPTY : prompt;
      await this.#add(await this.#answer(asked, turn.constraint, signal, onText), signal);
    });
  }

  append(turn: Turn, signal: AbortSignal): Promise<void> {
    return this.#turns.run(signal, async () => {
      const prompt = await this.#promptOf(turn, !this.#conversation.isEmpty);
      await this.#makeRoom(prompt, signal);
      await this.#add(prompt.messages, signal);
    });
  }

  /** Tokens that a turn would add. Not in turn: it changes nothing. */
  async measure(turn: Turn): Promise<number> {
    const before = { messages: this.#conversation.messages, tokens: this.#usage };
    const prompt = await this.#promptOf(turn, false);
    // A whole conversation, with a system message, is measured by itself.
    if (isEmpty(before.messages) || prompt.messages[0]?.role === 'system') {
      return isEmpty(prompt.messages) ? 0 : this.#count(prompt);
    }
    const messages = [...before.messages, ...prompt.messages];
    return (await this.#count({ ...prompt, messages })) - before.tokens;
  }

  /** A session that goes on from here by itself. */
  clone(signal: AbortSignal): Promise<Session> {
    return this.#turns.run(signal, async () => {
      const loaded = { tempo: this.#tempo, limits: this.limits };
      return new Session(loaded, this.options, this.#conversation, this.#usage);
    });
  }

  async #promptOf({ messages, constraint, guide }: Turn, hasHistory: boolean): Promise<Prompt> {
    const place = { hasHistory, noImages: notExpected(this.options) };
    const prompt = await checkPrompt(messages, place);
    return constraint !== undefined && guide ? guided(prompt, constraint.words) : prompt;
  }

  /** The prompt and what comes of it: the answer, and before it tool calls with their results. */
  async #answer(
    prompt: Prompt,
    constraint: Constraint | undefined,
    signal: AbortSignal,
    onText: (text: string) => void,
  ): Promise<ChatMessage[]> {
    const { tools } = this.options;
    let { messages, continued } = prompt;
    for (let round = 0; ; round++) {
      await this.#makeRoom({ messages, continued }, signal);
      const request: ChatCompletionParams = {
        ...this.#request({ messages: [...this.#conversation.messages, ...messages], continued }),
        response_format: constraint?.format,
        tool_choice: round < MAX_TOOL_ROUNDS || tools.length === 0 ? undefined : 'none',
      };
      const stream = await this.#app.chat.completions.create(
        { ...request, simulate: this.#simulated(request), stream: true },
        { signal },
      );
      for await (const chunk of stream) {
        const text = chunk.choices[0]?.delta.content ?? '';
        if (text !== '' && !signal.aborted) onText(text);
      }
      const [{ message, finish_reason: reason }] = (await stream.final()).choices;
      if (reason === 'length') throw cutOff(constraint);
      const { content, tool_calls: calls } = message;
      messages = continued
        ? [...messages.slice(0, -1), joined(messages.at(-1), content, calls)]
        : [...messages, { role: 'assistant', content, tool_calls: calls }];
      if (calls === undefined) return messages;
      messages = [...messages, ...(await abortable(runCalls(calls, tools), signal))];
      continued = false;
    }
  }

  /** What a simulated engine is told to say. */
  #simulated(request: ChatCompletionParams): SimulatedReply | undefined {
    const { state } = this.#tempo;
    const isSimulated = state.phase === 'ready' && state.engine.kind === 'simulated';
    return isSimulated ? this.options.simulate?.(request) : undefined;
  }

  /**
   * Drops the oldest rounds until the prompt fits, and no more than that. Where it cannot fit, nothing is
   * dropped and a QuotaExceededError is thrown.
   */
  async #makeRoom({ messages, continued }: Prompt, signal: AbortSignal): Promise<void> {
    const before = this.#conversation;
    const tokensWithout = async (count: number) => {
      const all = [...before.without(count).messages, ...messages];
      const tokens = isEmpty(all) ? 0 : await this.#count({ messages: all, continued });
      signal.throwIfAborted();
      return tokens;
    };
    if ((await tokensWithout(0)) <= this.contextWindow) return;
    const least = await tokensWithout(before.rounds.length);
    if (least > this.contextWindow) throw quotaExceeded(least, this.contextWindow);
    let [tooFew, enough] = [0, before.rounds.length];
    while (enough - tooFew > 1) {
      const middle = (tooFew + enough) >> 1;
      if ((await tokensWithout(middle)) <= this.contextWindow) enough = middle;
      else tooFew = middle;
    }
    await this.#keep(before.without(enough), signal);
    this.onOverflow();
  }

  /** The turn is over: its messages are part of the conversation. */
  async #add(messages: readonly ChatMessage[], signal: AbortSignal): Promise<void> {
    await this.#keep(this.#conversation.with(messages), signal);
    // An answer may take the room that was left for it, but it is not left to it.
    let dropped = false;
    while (this.#usage > this.contextWindow && this.#conversation.rounds.length > 1) {
      await this.#keep(this.#conversation.without(1), signal);
      dropped = true;
    }
    if (dropped) this.onOverflow();
  }

  async #keep(conversation: Conversation, signal: AbortSignal): Promise<void> {
    const { messages } = conversation;
    const tokens = isEmpty(messages) ? 0 : await this.#count({ messages, continued: false });
    signal.throwIfAborted();
    this.#conversation = conversation;
    this.#usage = tokens;
  }

  #count(prompt: Prompt): Promise<number> {
    return this.#tempo.countTokens(this.#request(prompt));
  }

  #request({ messages, continued }: Prompt): ChatCompletionParams {
    const { sampling, slo, tools } = this.options;
    return {
      ...samplingFields(sampling),
      messages,
      slo,
      continue_final_message: continued,
      tools: tools.length === 0 ? undefined : tools.map(({ spec }) => spec),
    };
  }
}

const EMPTY: Prompt = { messages: [{ role: 'user', content: '' }], continued: false };

const isEmpty = (messages: readonly ChatMessage[]) => messages.length === 0;

/** An answer's beginning and the rest of it. */
function joined(
  begun: ChatMessage | undefined,
  rest: string | null,
  calls: ToolCall[] | undefined,
): ChatMessage {
  return {
    role: 'assistant',
    content: `${begun?.content ?? ''}${rest ?? ''}`,
    tool_calls: calls,
  };
}

/** Why a session's prompts hold no images. */
function notExpected({ images }: SessionOptions): string | undefined {
  return images
    ? undefined
    : "This session takes no images. Say so when you make it: expectedInputs: [{ type: 'image' }].";
}

function cutOff(constraint: Constraint | undefined): DOMException {
  const sentence = 'The answer was cut off: there is no more room in the context. Ask for less.';
  return new DOMException(sentence, constraint === undefined ? 'UnknownError' : 'SyntaxError');
}
