import { createTempo, type Tempo, type TempoApp, TempoError, type TempoOptions } from '../client';
import {
  type Asked,
  chatChunks,
  chatCompletion,
  completion,
  completionChunks,
  leavable,
} from './chat-answers';
import { chatParams, textParams } from './chat-request';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequestBase,
  ChatCompletionRequestNonStreaming,
  ChatCompletionRequestStreaming,
  CompletionUsage,
} from './chat-types';
import type {
  Completion,
  CompletionCreateParamsBase,
  CompletionCreateParamsNonStreaming,
  CompletionCreateParamsStreaming,
} from './completion-types';
import type {
  AppConfig,
  ChatOptions,
  InitProgressCallback,
  LogitProcessor,
  MLCEngineConfig,
  TempoEngineOptions,
} from './config-types';
import { embeddingResponse } from './embedding-response';
import type { CreateEmbeddingResponse, EmbeddingCreateParams } from './embedding-types';
import { checkedAppConfig, checkedCallback } from './engine-config';
import type {
  Chat,
  ChatCompletions,
  Completions,
  Embeddings,
  MLCEngineInterface,
  ResumeChatCompletionOptions,
  ResumeProbeResult,
  ResumeResult,
} from './engine-types';
import { loadError, WebLLMError } from './errors';
import { type Answer, type Begun, Generation, type Journal } from './generation';
import { gpuVendor, maxStorageBufferBindingSize } from './gpu';
import { attach, detach } from './live-engines';
import { type LoadPlan, planLoad } from './load-plan';
import { Loaded } from './loaded';
import { type LogLevel, log, setLogLevel } from './log';
import { refuseProcessors } from './logit-processors';
import type { Piece } from './piece';
import { ProgressReports } from './progress';
import { resumableConfig } from './resumable/config';
import { type Entry, isWhole, resumed, textOnly, tokensOf } from './resumable/session';
import { loadShared, serves } from './shared';
import { RuntimeStats } from './stats';

const DEFAULT_APP = 'webllm';

/** What WebLLM's engines have in common, on Tempo. */
export abstract class Engine implements MLCEngineInterface {
  readonly chat: Chat;
  readonly completions: Completions;
  readonly embeddings: Embeddings;
  readonly #options: TempoEngineOptions;
  #appConfig: AppConfig;
  #onProgress: InitProgressCallback | undefined;
  #tempo: Tempo | undefined;
  /** The objective is told once: calls must not undo what the page says with `setSlo`. */
  #app: TempoApp | undefined;
  #loaded: Loaded | undefined;
  #loading: Loading | undefined;
  readonly #running = new Set<Generation>();
  /** The latest generation's text: of its last choice. */
  #latest: Answer | undefined;
  #stats = new RuntimeStats();
  /** What `forwardTokensAndSample` was fed. */
  #forwarded: number[] = [];

  constructor(config: MLCEngineConfig | undefined) {
    const { appConfig, initProgressCallback, logitProcessorRegistry, logLevel, tempo } =
      config ?? {};
    this.#options = tempo ?? {};
    this.#appConfig = checkedAppConfig(appConfig);
    this.#onProgress = checkedCallback(initProgressCallback);
    this.setLogitProcessorRegistry(logitProcessorRegistry);
    if (logLevel) this.setLogLevel(logLevel);
    const chat = (request: ChatCompletionRequestBase) => this.chatCompletion(request);
    const text = (request: CompletionCreateParamsBase) => this.completion(request);
    this.chat = { completions: { create: chat as ChatCompletions['create'] } };
    this.completions = { create: text as Completions['create'] };
    this.embeddings = { create: (request) => this.embedding(request) };
  }

  /** The Tempo that serves, once there is one: for its state, figures and objectives. */
  get tempo(): Tempo | undefined {
    return this.#tempo;
  }

  /** The list that the next load goes by. */
  get appConfig(): AppConfig {
    return this.#appConfig;
  }

  /** Throws `invalid_request` for what has no list of models. */
  setAppConfig(appConfig: AppConfig): void {
    this.#appConfig = checkedAppConfig(appConfig);
  }

  setInitProgressCallback(initProgressCallback?: InitProgressCallback): void {
    this.#onProgress = checkedCallback(initProgressCallback);
  }

  getInitProgressCallback(): InitProgressCallback | undefined {
    return this.#onProgress;
  }

  /** Throws `unsupported` where there is a processor in it. */
  setLogitProcessorRegistry(registry?: Map<string, LogitProcessor>): void {
    refuseProcessors(registry);
  }

  setLogLevel(logLevel: LogLevel): void {
    setLogLevel(logLevel);
  }

  async reload(modelId: string | string[], chatOpts?: ChatOptions | ChatOptions[]): Promise<void> {
    const plan = planLoad(modelId, chatOpts, this.#appConfig, this.#simulated);
    const before = this.#cancelLoad();
    const cancel = new AbortController();
    const run = async () => {
      await before;
      cancel.signal.throwIfAborted();
      this.#forget();
      await this.#load(plan, cancel.signal);
      this.#loaded = new Loaded(plan);
    };
    const loading = { done: run(), cancel };
    this.#loading = loading;
    try {
      await loading.done;
    } catch (thrown) {
      if (!cancel.signal.aborted) throw this.explain(thrown);
      log.warn('Reload() is aborted.');
    } finally {
      if (this.#loading === loading) this.#loading = undefined;
    }
  }

  async unload(): Promise<void> {
    await this.#cancelLoad();
    this.#forget();
    const tempo = this.#tempo;
    if (tempo === undefined) return;
    detach(tempo);
    if (this.ownsTempo) {
      this.#tempo = undefined;
      this.#app = undefined;
      await tempo.dispose();
    } else {
      await tempo.unload();
    }
  }

  chatCompletion(request: ChatCompletionRequestNonStreaming): Promise<ChatCompletion>;
  chatCompletion(
    request: ChatCompletionRequestStreaming,
  ): Promise<AsyncIterable<ChatCompletionChunk>>;
  chatCompletion(
    request: ChatCompletionRequestBase,
  ): Promise<AsyncIterable<ChatCompletionChunk> | ChatCompletion>;
  async chatCompletion(
    request: ChatCompletionRequestBase,
  ): Promise<AsyncIterable<ChatCompletionChunk> | ChatCompletion> {
    const params = chatParams(request);
    const asked = askedOf(request);
    const config = resumableConfig(request);
    if (config !== undefined) params.seed ??= randomSeed();
    const streamed = request.stream === true;
    const generation = await this.#begin({
      requestName: 'ChatCompletionRequest',
      head: request,
      create: (app) => {
        params.simulate ??= this.#scripted(request);
        return app.chat.completions.create(params);
      },
      keep:
        config &&
        (async (modelId) =>
          (await keptSessions()).begin(config, { modelId, params, streamed, asked })),
    });
    if (!request.stream) return chatCompletion(generation, asked);
    return leavable(chatChunks(generation, asked), generation);
  }

  completion(request: CompletionCreateParamsNonStreaming): Promise<Completion>;
  completion(request: CompletionCreateParamsStreaming): Promise<AsyncIterable<Completion>>;
  completion(request: CompletionCreateParamsBase): Promise<AsyncIterable<Completion> | Completion>;
  async completion(
    request: CompletionCreateParamsBase,
  ): Promise<AsyncIterable<Completion> | Completion> {
    const params = textParams(request);
    const asked = askedOf(request);
    const generation = await this.#begin({
      requestName: 'CompletionCreateParams',
      head: request,
      create: (app) => {
        params.simulate ??= this.#scripted(request);
        return app.completions.create(params);
      },
    });
    if (!request.stream) return completion(generation, asked, request.echo ? request.prompt : '');
    return leavable(completionChunks(generation, asked), generation);
  }

  async embedding(request: EmbeddingCreateParams): Promise<CreateEmbeddingResponse> {
    const loaded = await this.#ready('EmbeddingCreateParams');
    const model = loaded.embedding('EmbeddingCreateParams', request?.model);
    return embeddingResponse(this.#calls(), { ...request, model });
  }

  async interruptGenerate(): Promise<void> {
    for (const generation of this.#running) generation.interrupt();
  }

  async getMessage(modelId?: string): Promise<string> {
    await this.#chatModel('getMessage', modelId);
    return this.#latest?.text ?? '';
  }

  async runtimeStatsText(modelId?: string): Promise<string> {
    await this.#chatModel('runtimeStatsText', modelId);
    return String(this.#stats);
  }

  async resetChat(keepStats = false, modelId?: string): Promise<void> {
    // As in WebLLM, there is nothing to reset where nothing is loaded.
    if (this.#loaded === undefined) return;
    await this.#chatModel('resetChat', modelId);
    this.#forwarded = [];
    if (!keepStats) this.#stats = new RuntimeStats();
  }

  async forwardTokensAndSample(
    inputIds: Array<number>,
    _isPrefill: boolean,
    modelId?: string,
  ): Promise<number> {
    checkTokens(inputIds);
    const prompt = [...this.#forwarded, ...inputIds];
    const generation = await this.#begin({
      requestName: 'forwardTokensAndSample',
      head: { model: modelId },
      create: (app) =>
        app.completions.create({
          prompt,
          max_tokens: 1,
          return_token_ids: true,
          stream: true,
          stream_options: { include_usage: true },
        }),
    });
    this.#forwarded = prompt;
    for await (const event of generation.events()) {
      if ('piece' in event && event.piece.tokens.length > 0) return event.piece.tokens[0];
    }
    throw new TempoError('aborted', 'It was interrupted before the token was drawn.');
  }

  async getMaxStorageBufferBindingSize(): Promise<number> {
    return maxStorageBufferBindingSize(this.#simulated);
  }

  async getGPUVendor(): Promise<string> {
    return gpuVendor(this.#simulated);
  }

  async listResumableSessions(): Promise<ResumeProbeResult[]> {
    return (await keptSessions()).list();
  }

  async resumeChatCompletion(
    sessionId: string,
    options?: ResumeChatCompletionOptions,
  ): Promise<ResumeResult | AsyncIterable<ChatCompletionChunk>> {
    const sessions = await keptSessions();
    const before = await sessions.read(sessionId);
    await this.#loading?.done.catch(() => {});
    const { modelId, streamed } = before.session;
    const goesOn = options?.continueGeneration === true && this.#loaded?.chatsWith(modelId);
    if (!goesOn || isWhole(before)) return textOnly(before);

    const { kept, journal } = await sessions.resume(sessionId);
    const tokens = tokensOf(kept);
    const params = {
      ...kept.session.params,
      generated_token_ids: tokens.length > 0 ? tokens : undefined,
    };
    let generation: Generation;
    try {
      generation = await this.#begin({
        requestName: 'resumeChatCompletion',
        head: { model: modelId },
        create: (app) => app.chat.completions.create(params),
        told: kept.entries,
        keep: async () => journal,
      });
    } catch (thrown) {
      if (!isNothingLeft(thrown)) {
        journal.leave();
        throw thrown;
      }
      await journal.finished();
      return textOnly(kept);
    }
    if (options?.stream === true && streamed) {
      return leavable(chatChunks(generation, kept.session.asked), generation);
    }
    const pieces: Piece[] = [];
    for await (const event of generation.events()) if ('piece' in event) pieces.push(event.piece);
    return resumed({ ...kept, entries: [...kept.entries, ...pieces] }, tokens.length);
  }

  async deleteResumableSession(sessionId: string): Promise<void> {
    await (await keptSessions()).delete(sessionId);
  }

  /** What Tempo is made with besides the load. */
  protected async reach(): Promise<Pick<TempoOptions, 'host' | 'worker'>> {
    const { host, worker } = this.#options;
    return { host, worker };
  }

  /** The Tempo is this engine's alone, its worker included, and ends with the model. */
  protected get ownsTempo(): boolean {
    const { client, host, worker } = this.#options;
    return !client && !host && (!worker || typeof worker === 'function');
  }

  /** What a failed load throws. */
  protected explain(thrown: unknown): TempoError {
    return loadError(thrown);
  }

  /** WebLLM's name for an engine that has no model. */
  protected notLoaded(requestName: string): TempoError {
    return new WebLLMError(
      'ModelNotLoadedError',
      'not_loaded',
      `No model is loaded for ${requestName}. Call reload(model), or make the engine with CreateMLCEngine(model).`,
    );
  }

  get #simulated(): boolean {
    return (this.#options.engine ?? 'webllm') === 'simulated';
  }

  async #load(plan: LoadPlan, signal: AbortSignal): Promise<void> {
    const {
      client,
      device,
      engine,
      app: _,
      slo: __,
      host: ___,
      worker: ____,
      simulate: _____,
      ...settings
    } = this.#options;
    const simulated = this.#simulated;
    const model = plan.chat ?? plan.embeddings[0];
    const embeddingModels = plan.embeddings.filter((id) => simulated || id !== model);
    const choice = {
      ...settings,
      ...plan.settings,
      ...(simulated ? { engine: 'simulated' as const, model: device } : { model }),
      embeddingModels,
    };
    const before = this.#tempo;
    const tempo = before ?? client ?? createTempo({ ...choice, ...(await this.reach()), signal });
    if (!client) attach(tempo, plan.settings.appConfig);
    this.#tempo = tempo;
    const reports = new ProgressReports();
    const unlisten = tempo.onState((state) => {
      const report = reports.of(state);
      if (report !== undefined) this.#onProgress?.(report);
    });
    try {
      const load = () => tempo.load(choice, { signal });
      const has = () => serves(tempo, simulated ? (device ?? undefined) : model, embeddingModels);
      if (client) await loadShared(tempo, has, load);
      else await (before === undefined ? tempo.ready : load());
      signal.throwIfAborted();
    } finally {
      unlisten();
    }
    const { state } = tempo;
    if (state.phase !== 'ready') return;
    for (const note of state.engine.notes) log.info(note);
    this.#onProgress?.(reports.finished(state.engine.device));
  }

  #forget(): void {
    this.#loaded = undefined;
    this.#latest = undefined;
    this.#forwarded = [];
    this.#stats = new RuntimeStats();
  }

  /** Ends the load under way, if there is one; resolves when it is over. */
  async #cancelLoad(): Promise<void> {
    const loading = this.#loading;
    loading?.cancel.abort();
    await loading?.done.catch(() => {});
  }

  /**
   * The models, once a load under way is done, or the one that took its place. Throws by WebLLM's name where
   * there are none.
   */
  async #ready(requestName: string): Promise<Loaded> {
    let seen: Loading | undefined;
    while (this.#loading !== undefined && this.#loading !== seen) {
      seen = this.#loading;
      try {
        await seen.done;
      } catch (thrown) {
        if (!seen.cancel.signal.aborted) throw this.explain(thrown);
      }
    }
    if (this.#loaded === undefined) throw this.notLoaded(requestName);
    return this.#loaded;
  }

  async #chatModel(requestName: string, model: string | null | undefined): Promise<string> {
    return (await this.#ready(requestName)).chat(requestName, model);
  }

  #calls(): TempoApp {
    const { app, slo } = this.#options;
    if (this.#tempo === undefined) throw this.notLoaded('a request');
    this.#app ??= this.#tempo.app(app ?? DEFAULT_APP, slo ? { slo } : undefined);
    return this.#app;
  }

  /** What a simulated engine is told to say. */
  #scripted(request: Parameters<Script>[0]): ReturnType<Script> {
    const state = this.#tempo?.state;
    const isSimulated = state?.phase === 'ready' && state.engine.kind === 'simulated';
    return isSimulated ? this.#options.simulate?.(request) : undefined;
  }

  /** Queues a request, once a load under way is done. An interruption counts from now on. */
  async #begin({ requestName, head, create, told, keep }: Beginning): Promise<Generation> {
    const { model: wanted, n, signal } = head;
    const generation = new Generation({
      begin: async () => {
        const model = await this.#chatModel(requestName, wanted);
        const stream = await create(this.#calls());
        try {
          return { model, stream, journal: await keep?.(model) };
        } catch (thrown) {
          stream.abort();
          throw thrown;
        }
      },
      choices: Number.isSafeInteger(n) && n ? Math.min(n, MAX_CHOICES) : 1,
      told,
      signal,
      ended: (one, usage?: CompletionUsage) => {
        this.#running.delete(one);
        if (usage !== undefined) this.#stats.add(usage);
      },
    });
    this.#running.add(generation);
    await generation.start();
    this.#latest = generation.answers.at(-1);
    return generation;
  }
}

/** A load under way, which ends well or badly, and how to end it early. */
interface Loading {
  done: Promise<void>;
  cancel: AbortController;
}

/** What of a request is the engine's own affair. */
type RequestHead = Pick<ChatCompletionRequestBase, 'model' | 'n' | 'signal'>;

type Script = NonNullable<TempoEngineOptions['simulate']>;

/** A request before it is queued. */
interface Beginning {
  /** WebLLM's name for it. */
  requestName: string;
  head: RequestHead;
  create: (app: TempoApp) => Promise<Begun['stream']>;
  /** What was told of it in an earlier life of the page. */
  told?: readonly Entry[];
  /** Begins to keep it, once it is queued. */
  keep?: (model: string) => Promise<Journal | undefined>;
}

const keptSessions = async () => (await import('./resumable/sessions')).sessions;

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

/** What was told was all; only its end was not kept. */
function isNothingLeft(thrown: unknown): boolean {
  return thrown instanceof TempoError && thrown.param === 'generated_token_ids';
}

/** More are refused. */
const MAX_CHOICES = 128;

function checkTokens(ids: unknown): void {
  if (Array.isArray(ids) && ids.length > 0 && ids.every((id) => Number.isInteger(id) && id >= 0))
    return;
  throw new TempoError('invalid_request', 'inputIds must be a list of token ids, not empty.', {
    param: 'inputIds',
  });
}

function askedOf(request: Pick<ChatCompletionRequestBase, 'logprobs' | 'stream_options'>): Asked {
  return {
    logprobs: request.logprobs === true,
    includeUsage: request.stream_options?.include_usage === true,
  };
}
