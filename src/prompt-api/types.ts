/**
 * The Prompt API's types (webmachinelearning.github.io/prompt-api, as of June 2026), the names that
 * Chrome had before among them, and what Tempo adds: `slo` and `app`. Assignable to those of
 * `@types/dom-chromium-ai`.
 */
import type { ChatCompletionParams, SimulatedReply, Slo } from '../client';

/** `available`: loaded. `downloading`: loading. `downloadable`: `create()` would load it. */
export type Availability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

export type LanguageModelMessageRole = 'system' | 'user' | 'assistant';
export type LanguageModelMessageType = 'text' | 'image' | 'audio' | 'tool-call' | 'tool-response';
export type LanguageModelSamplingMode =
  | 'most-predictable'
  | 'predictable'
  | 'balanced'
  | 'creative'
  | 'most-creative';

export interface LanguageModelMessageContent {
  type: LanguageModelMessageType;
  /**
   * A string where the type is `text`. Of an `image`: a Blob, an ImageBitmap, ImageData, a canvas, an
   * image or video element, a VideoFrame, or the bytes of a file; it is read when the call is made.
   */
  value: unknown;
}

export interface LanguageModelMessage {
  role: LanguageModelMessageRole;
  content: string | readonly LanguageModelMessageContent[];
  /** The last message of a prompt, the assistant's: it is continued rather than answered. */
  prefix?: boolean | null;
}

/** A string is a message of the user's. */
export type LanguageModelPrompt = string | readonly LanguageModelMessage[];

export interface LanguageModelExpected {
  type: LanguageModelMessageType;
  /** BCP 47 tags. Every language is taken as it is; what the model makes of it is its own. */
  languages?: readonly string[] | null;
}

/** A function that the model may call. */
export interface LanguageModelTool {
  name: string;
  description: string;
  /** A JSON schema of type `object`. */
  inputSchema: object;
  /** What it throws, the model reads as the result. Calls of one answer run side by side. */
  execute(args: Record<string, unknown>): Promise<string>;
}

export interface LanguageModelCreateCoreOptions {
  /** 1 or more; at or above `maxTopK` there is no limit. */
  topK?: number | null;
  /** 0 to `maxTemperature`. */
  temperature?: number | null;
  /** Not beside `topK` and `temperature`. Default: `balanced`. */
  samplingMode?: LanguageModelSamplingMode | null;
  /** Images only where they are named here, and the model takes them. */
  expectedInputs?: readonly LanguageModelExpected[] | null;
  expectedOutputs?: readonly LanguageModelExpected[] | null;
  tools?: readonly LanguageModelTool[] | null;
}

export interface LanguageModelCreateOptions extends LanguageModelCreateCoreOptions {
  /** Ends the creation; after it, destroys the session. */
  signal?: AbortSignal | null;
  monitor?: ((monitor: CreateMonitor) => void) | null;
  /** Never dropped from the context. */
  initialPrompts?: readonly LanguageModelMessage[] | null;

  // What Tempo adds.
  /** The objective of every call of this session. Default: that of the app. */
  slo?: Slo | null;
  /** The feature of the page that it is accounted to. Default: `language-model`. */
  app?: string | null;
}

export interface LanguageModelPromptOptions {
  /** A JSON schema or a RegExp that the whole answer follows. A RegExp's flags are not read. */
  responseConstraint?: object | null;
  /** The constraint is not put into words for the model. */
  omitResponseConstraintInput?: boolean | null;
  signal?: AbortSignal | null;
}

export interface LanguageModelAppendOptions {
  signal?: AbortSignal | null;
}

export interface LanguageModelCloneOptions {
  signal?: AbortSignal | null;
}

export interface LanguageModelParams {
  readonly defaultTopK: number;
  readonly maxTopK: number;
  readonly defaultTemperature: number;
  readonly maxTemperature: number;
}

/** An `on…` attribute. */
export type EventHandler<Target, Kind extends Event = Event> =
  | ((this: Target, event: Kind) => unknown)
  | null;

interface Listening<Target, Events> extends EventTarget {
  addEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (this: Target, event: Events[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (this: Target, event: Events[Type]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

export interface CreateMonitorEventMap {
  /** `loaded` goes from 0 to 1 of a `total` of 1, over the whole load. */
  downloadprogress: ProgressEvent;
}

export interface CreateMonitor extends Listening<CreateMonitor, CreateMonitorEventMap> {
  ondownloadprogress: EventHandler<CreateMonitor, ProgressEvent>;
}

export interface LanguageModelEventMap {
  /** The oldest of the conversation was dropped to make room. */
  contextoverflow: Event;
  /** The same by its former name. */
  quotaoverflow: Event;
}

/** What a session of Chrome's has. */
export interface LanguageModelSession
  extends Listening<LanguageModelSession, LanguageModelEventMap> {
  /**
   * The answer. Prompts of one session are answered in turn; those of several, side by side. Rejects with
   * the signal's reason, with a QuotaExceededError where the prompt cannot fit, and with a DOMException
   * whose `cause` is the TempoError for what goes wrong below.
   */
  prompt(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<string>;
  /** The answer in pieces, as they come. */
  promptStreaming(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions,
  ): ReadableStream<string>;
  /** Adds messages that are not to be answered yet. */
  append(input: LanguageModelPrompt, options?: LanguageModelAppendOptions): Promise<undefined>;
  /** How much of the context a prompt would take, tokens. */
  measureContextUsage(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions,
  ): Promise<number>;
  /** `measureContextUsage` by its former name. */
  measureInputUsage(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions,
  ): Promise<number>;
  /** What the conversation takes of the context, tokens. */
  readonly contextUsage: number;
  /** `contextUsage` by its former name. */
  readonly inputUsage: number;
  /** What it may take, tokens. The model's own window is larger: there is room left for an answer. */
  readonly contextWindow: number;
  /** `contextWindow` by its former name. */
  readonly inputQuota: number;
  oncontextoverflow: EventHandler<LanguageModelSession>;
  /** `oncontextoverflow` by its former name. */
  onquotaoverflow: EventHandler<LanguageModelSession>;
  readonly topK: number;
  readonly temperature: number;
  /** A session that goes on from here by itself, once what was asked before is answered. */
  clone(options?: LanguageModelCloneOptions): Promise<LanguageModelSession>;
  /** Ends the session, and with an AbortError all that is open in it. */
  destroy(): undefined;
}

/** A conversation with a model. */
export interface LanguageModel extends LanguageModelSession {
  readonly samplingMode: LanguageModelSamplingMode;
  clone(options?: LanguageModelCloneOptions): Promise<LanguageModel>;
}

/** What `LanguageModel` has without a session. */
export interface LanguageModelStatics {
  /** Loads the model where it is not, and starts a session. */
  create(options?: LanguageModelCreateOptions): Promise<LanguageModel>;
  availability(options?: LanguageModelCreateCoreOptions): Promise<Availability>;
  /** Before the model is loaded, its default temperature is not known: it is 1 here. */
  params(): Promise<LanguageModelParams>;
}

/** What `LanguageModel` is in Chrome. */
export type LanguageModelClass = (abstract new (
  ...args: never[]
) => LanguageModel) &
  LanguageModelStatics;

/** What a whole `LanguageModel` has in common. */
export interface LanguageModelSettings {
  /** The objective of sessions that bring none. Default: that of their app. */
  slo?: Slo | null;
  /** The app of sessions that name none. Default: `language-model`. */
  app?: string | null;
  /** What a simulated engine is to answer to a request. Real engines do not ask. */
  simulate?: ((request: ChatCompletionParams) => SimulatedReply | undefined) | null;
}
