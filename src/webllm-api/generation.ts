import type {
  ChatCompletionChunk,
  ChatCompletionStream,
  TextCompletionChunk,
  TextCompletionStream,
} from '../client';
import type {
  ChatCompletionFinishReason,
  ChatCompletionMessageToolCall,
  ChatCompletionTokenLogprob,
  CompletionUsage,
} from './chat-types';
import { requestError } from './errors';
import { type Piece, piecesOf } from './piece';
import { interruptedUsage, type Times, usageOf } from './usage';

/** One choice, as far as it has come. */
export interface Answer {
  text: string;
  calls: ChatCompletionMessageToolCall[];
  logprobs: ChatCompletionTokenLogprob[];
  finish: ChatCompletionFinishReason | null;
}

/** What a generation gives, in order: pieces, and at the end, however that came, its usage. */
export type GenerationEvent = { piece: Piece } | { usage: CompletionUsage };

/** What a piece adds to an answer. */
type Told = Pick<Piece, 'text' | 'calls'>;

/** Keeps what a generation says before anybody hears it. */
export interface Journal {
  record(piece: Piece): Promise<void>;
  failed(error: unknown): Promise<void>;
}

/** A request that is queued, and the model that answers it. */
export interface Begun {
  stream: ChatCompletionStream | TextCompletionStream;
  model: string;
  journal?: Journal;
}

export interface GenerationOptions {
  /** Resolves when the request is queued. */
  begin: () => Promise<Begun>;
  choices: number;
  /** What was told of the one choice before: it goes on after that. */
  told?: readonly Told[];
  /** Ends it early. */
  signal?: AbortSignal | null;
  /** Nothing more will come. */
  ended: (generation: Generation, usage?: CompletionUsage) => void;
}

/**
 * One request that is being answered. What comes is taken at once, read or not, so that the text so far is
 * always known.
 */
export class Generation {
  readonly answers: readonly Answer[];
  id = '';
  model = '';
  simulated = false;
  readonly created = Math.floor(Date.now() / 1000);
  readonly #options: GenerationOptions;
  readonly #events: GenerationEvent[] = [];
  readonly #times: Times = { startMs: performance.now() };
  #stream: ChatCompletionStream | TextCompletionStream | undefined;
  #journal: Journal | undefined;
  #interrupted = false;
  #over = false;
  #error: unknown;
  #notify = () => {};
  #promptTokens = 0;
  #tokens = 0;

  constructor(options: GenerationOptions) {
    this.#options = options;
    this.answers = Array.from({ length: options.choices }, () => ({
      text: '',
      calls: [],
      logprobs: [],
      finish: null,
    }));
    for (const told of options.told ?? []) append(this.answers[0], told);
  }

  /** Resolves when it is queued. Throws what the request is refused with. */
  async start(): Promise<this> {
    const { begin, signal } = this.#options;
    const interrupt = () => this.interrupt();
    if (signal?.aborted) this.#interrupted = true;
    signal?.addEventListener('abort', interrupt, { once: true });
    try {
      const { stream, model, journal } = await begin();
      this.#stream = stream;
      this.#journal = journal;
      this.model = model;
    } catch (thrown) {
      this.#end(undefined);
      signal?.removeEventListener('abort', interrupt);
      throw requestError(thrown);
    }
    const stream = this.#stream;
    this.id = stream.id;
    if (this.#interrupted) stream.abort();
    void this.#pump(stream).finally(() => signal?.removeEventListener('abort', interrupt));
    return this;
  }

  /** Ends it with what it has; its finish_reason is `abort`. */
  interrupt(): void {
    this.#interrupted = true;
    this.#stream?.abort();
  }

  /** What comes, to be read once. Throws what the generation fails with, after what came before. */
  async *events(): AsyncGenerator<GenerationEvent, void, undefined> {
    let next = 0;
    while (true) {
      while (next < this.#events.length) yield this.#events[next++];
      if (this.#error !== undefined) throw this.#error;
      if (this.#over) return;
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
  }

  /** Its usage, at its end; `answers` are whole then. */
  async usage(): Promise<CompletionUsage> {
    for await (const event of this.events()) if ('usage' in event) return event.usage;
    throw new Error('A generation ended without its usage.');
  }

  async #pump(stream: AsyncIterable<ChatCompletionChunk | TextCompletionChunk>): Promise<void> {
    const journal = this.#journal;
    let usage: CompletionUsage | undefined;
    try {
      for await (const chunk of stream) {
        this.simulated = chunk.simulated;
        if (chunk.usage !== undefined) usage = usageOf(chunk.usage);
        for (const piece of piecesOf(chunk)) {
          await journal?.record(piece);
          this.#take(piece);
        }
      }
      usage ??= interruptedUsage(this.#promptTokens, this.#tokens, this.#times);
      this.#events.push({ usage });
    } catch (thrown) {
      this.#error = requestError(thrown);
      await journal?.failed(thrown);
    }
    this.#end(usage);
  }

  #take(piece: Piece): void {
    const { index, logprobs, finish, tokens, promptTokens } = piece;
    this.#promptTokens = Math.max(this.#promptTokens, promptTokens);
    this.#tokens += tokens.length;
    if (tokens.length > 0) {
      const nowMs = performance.now();
      this.#times.firstMs ??= nowMs;
      this.#times.lastMs = nowMs;
    }
    const answer = this.answers[index];
    append(answer, piece);
    answer.logprobs.push(...logprobs);
    answer.finish = finish ?? answer.finish;
    this.#events.push({ piece });
    this.#notify();
  }

  #end(usage: CompletionUsage | undefined): void {
    this.#over = true;
    this.#options.ended(this, usage);
    this.#notify();
  }
}

function append(answer: Answer, { text, calls }: Told): void {
  answer.text += text;
  for (const { index: at, id, function: call } of calls) {
    answer.calls[at] ??= { id: '', type: 'function', function: { name: '', arguments: '' } };
    const whole = answer.calls[at];
    whole.id += id ?? '';
    whole.function.name += call?.name ?? '';
    whole.function.arguments += call?.arguments ?? '';
  }
}
