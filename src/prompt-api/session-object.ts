import { abortable } from './abortable';
import { readConstraint } from './constraint';
import { platformError } from './errors';
import { HandlerAttribute } from './event-handler';
import { dictionary, optionalSignal } from './idl';
import { readPrompt } from './prompt';
import { MAX_TOP_K } from './sampling';
import type { Session, Turn } from './session';
import type {
  EventHandler,
  LanguageModel,
  LanguageModelAppendOptions,
  LanguageModelCloneOptions,
  LanguageModelPrompt,
  LanguageModelPromptOptions,
  LanguageModelSamplingMode,
  LanguageModelSession,
} from './types';

/** Who has it may construct a session's object; pages cannot. */
export const KEY = Symbol('constructor');

/** Makes a session's object of one class. The signal, aborted, destroys it with the signal's reason. */
export type MakeObject = (session: Session, signal?: AbortSignal) => LanguageModel;

/** What is common to the sessions of all `LanguageModel`s: the platform's way of saying what a session does. */
export class SessionObject extends EventTarget implements LanguageModel {
  readonly #session: Session;
  readonly #make: MakeObject;
  /** Aborted when the session is destroyed, which ends all that is open in it. */
  readonly #destruction = new AbortController();
  readonly #oncontextoverflow = new HandlerAttribute<LanguageModelSession>(this, 'contextoverflow');
  readonly #onquotaoverflow = new HandlerAttribute<LanguageModelSession>(this, 'quotaoverflow');

  constructor(key: typeof KEY, session: Session, make: MakeObject, signal?: AbortSignal) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    super();
    this.#session = session;
    this.#make = make;
    signal?.addEventListener('abort', () => this.#destruction.abort(signal.reason), {
      signal: this.#destruction.signal,
    });
    session.onOverflow = () => {
      this.dispatchEvent(new Event('contextoverflow'));
      this.dispatchEvent(new Event('quotaoverflow'));
    };
  }

  async prompt(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions | null,
  ): Promise<string> {
    const { turn, signal } = this.#read(input, options);
    let text = '';
    await this.#settle(signal, () =>
      this.#session.prompt(turn, signal, (piece) => {
        text += piece;
      }),
    );
    return text;
  }

  promptStreaming(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions | null,
  ): ReadableStream<string> {
    const cancelled = new AbortController();
    const { turn, signal } = this.#read(input, options, cancelled.signal);
    signal.throwIfAborted();
    return new ReadableStream<string>({
      start: (controller) => {
        const answered = this.#settle(signal, () =>
          this.#session.prompt(turn, signal, (piece) => controller.enqueue(piece)),
        );
        answered.then(
          () => controller.close(),
          (error: unknown) => controller.error(error),
        );
      },
      cancel: () => cancelled.abort(),
    });
  }

  async append(
    input: LanguageModelPrompt,
    options?: LanguageModelAppendOptions | null,
  ): Promise<undefined> {
    const messages = readPrompt(input);
    const signal = this.#signalOf(dictionary(options, 'The options').signal);
    await this.#settle(signal, () => this.#session.append({ messages }, signal));
    return undefined;
  }

  async measureContextUsage(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions | null,
  ): Promise<number> {
    const { turn, signal } = this.#read(input, options);
    return this.#settle(signal, () => this.#session.measure(turn));
  }

  measureInputUsage(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions | null,
  ): Promise<number> {
    return this.measureContextUsage(input, options);
  }

  async clone(options?: LanguageModelCloneOptions | null): Promise<LanguageModel> {
    const signal = this.#signalOf(dictionary(options, 'The options').signal);
    return this.#make(await this.#settle(signal, () => this.#session.clone(signal)));
  }

  destroy(): undefined {
    this.#destruction.abort(new DOMException('The session was destroyed.', 'AbortError'));
  }

  get contextUsage(): number {
    return this.#session.contextUsage;
  }

  get inputUsage(): number {
    return this.contextUsage;
  }

  get contextWindow(): number {
    return this.#session.contextWindow;
  }

  get inputQuota(): number {
    return this.contextWindow;
  }

  get samplingMode(): LanguageModelSamplingMode {
    return this.#session.options.sampling.mode;
  }

  get temperature(): number {
    const { options, limits } = this.#session;
    return options.sampling.temperature ?? limits.defaults.temperature;
  }

  get topK(): number {
    return this.#session.options.sampling.topK ?? MAX_TOP_K;
  }

  get oncontextoverflow(): EventHandler<LanguageModelSession> {
    return this.#oncontextoverflow.value;
  }

  set oncontextoverflow(handler: EventHandler<LanguageModelSession>) {
    this.#oncontextoverflow.value = handler;
  }

  get onquotaoverflow(): EventHandler<LanguageModelSession> {
    return this.#onquotaoverflow.value;
  }

  set onquotaoverflow(handler: EventHandler<LanguageModelSession>) {
    this.#onquotaoverflow.value = handler;
  }

  get [Symbol.toStringTag](): string {
    return 'LanguageModel';
  }

  /** A prompt and its options, copied. Throws a TypeError for what is none. */
  #read(
    input: LanguageModelPrompt,
    options: LanguageModelPromptOptions | null | undefined,
    cancelled?: AbortSignal,
  ): { turn: Turn; signal: AbortSignal } {
    const given = dictionary(options, 'The options');
    const constraint = readConstraint(given.responseConstraint);
    const omit = Boolean(given.omitResponseConstraintInput);
    if (omit && constraint === undefined) {
      throw new TypeError('omitResponseConstraintInput needs a responseConstraint.');
    }
    const turn = { messages: readPrompt(input), constraint, guide: !omit };
    return { turn, signal: this.#signalOf(given.signal, cancelled) };
  }

  #signalOf(given: unknown, cancelled?: AbortSignal): AbortSignal {
    const signals = [this.#destruction.signal, optionalSignal(given), cancelled];
    return AbortSignal.any(signals.filter((signal) => signal !== undefined));
  }

  /** What an operation comes to: the signal's reason where it is aborted, the platform's errors else. */
  async #settle<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await abortable(run(), signal);
    } catch (thrown) {
      throw signal.aborted ? signal.reason : platformError(thrown);
    }
  }
}
