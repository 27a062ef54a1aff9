import type { LoadedModel, StepEngine } from '../engine/step-engine';
import { inTime, within } from '../engine/within';
import {
  type AnyPolicyName,
  type Clock,
  createPolicy,
  type FinishReason,
  type Policy,
  type PolicyName,
  type Program,
  type Request,
  type RequestEnd,
  type SampledToken,
  Scheduler,
  type SequenceSpec,
  type Slo,
  type StepRecord,
  TempoError,
  type TokenKeeper,
} from '../scheduler';
import { aborted } from './aborted';
import type { ChatCompletionParams } from './chat-types';
import type { Choice } from './choice';
import { Completion } from './completion';
import { EngineSocket } from './engine-socket';
import type { Images } from './images';
import { OpenCompletions } from './open-completions';
import { type PreparedSubmission, prepareChat, promptOf } from './prepare';
import { prepareText } from './prepare-text';
import type { Profile } from './profile';
import { type Losing, letGo, type Recovery } from './recovery';
import type {
  LoadConfig,
  ModelLimits,
  ProgramReport,
  ProgramStart,
  Receipt,
  RequestEvent,
  Submission,
} from './server-types';
import { Siblings } from './siblings';
import { makeUpFor } from './simulated-reply';
import { sparing } from './sparing';
import { StepLoop } from './step-loop';
import { Timeline } from './timeline';
import type { LoadedImages } from './tools';
import { Turns } from './turns';
import {
  type ReadChatSubmission,
  type ReadSubmission,
  readParams,
  readProgram,
  readSubmission,
} from './validate';
import { WaitNews } from './wait-news';

/** The step under way may take so long to end before its engine is disposed of under it, ms. */
export const STEP_WITHIN_MS = 3000;

/** A request is read, and its grammar compiled, in so long, ms, or not at all. */
const PREPARE_WITHIN_MS = 60_000;

/** A prompt is counted to about so many tokens, whatever the engine takes. */
const COUNTED = 32_768;
/** Images that all open requests may hold together, bytes. */
const MOST_IMAGE_BYTES = 512 * 2 ** 20;

/** When those that hold them may have let go of some, ms: about an answer's time. */
const IMAGES_RETRY_MS = 2000;

/** A request that is ready to be queued. */
export type ReadySubmission = PreparedSubmission & ReadSubmission;

export interface ServingOptions {
  engine: StepEngine;
  config: LoadConfig;
  clock: Clock;
  /** Gets its device back when that is lost. */
  recovery: Recovery;
  emit: (event: RequestEvent) => void;
  /** Something that watchers see has changed. */
  changed: () => void;
  /** Gives other work for the device its turn; see `StepLoopEvents`. */
  between: (idle: boolean) => Promise<boolean>;
}

/**
 * One load of an engine: its scheduler, the requests in its care, and the loop that joins them.
 * Outlives a lost device: the engine is loaded again, and every request goes on from its tokens.
 */
export class Serving implements TokenKeeper, Losing {
  readonly scheduler: Scheduler;
  readonly timeline = new Timeline();
  readonly #options: ServingOptions;
  readonly #socket: EngineSocket;
  readonly #model: LoadedModel;
  readonly #waits = new WaitNews();
  readonly #open = new OpenCompletions();
  readonly #siblings = new Siblings();
  /** Have a choice that finished in the step under way. */
  readonly #finishing = new Set<Completion>();
  /** Made for the first request that brings any. */
  #images: Promise<Images> | undefined;
  readonly #loop: StepLoop;

  constructor(options: ServingOptions) {
    this.#options = options;
    const { engine, config } = options;
    this.#socket = new EngineSocket(
      engine,
      () => this.wake(),
      ({ work }) => {
        const { cost, capacity } = this.scheduler;
        const prefillTokens = work.reduce((sum, { tokens }) => sum + tokens, 0);
        const contextTokens = work.length * capacity.contextWindow;
        return cost.stepMs({ decodes: work.length, prefillTokens, contextTokens });
      },
    );
    this.scheduler = new Scheduler({
      policy: this.#policyOf(config.policy),
      engine: this.#socket,
      costs: engine.costs,
      gain: config.alpha === undefined ? {} : { alpha: config.alpha },
      maxWaiting: config.maxWaiting,
      bestEffortShare: config.bestEffortShare,
      rejectHopeless: config.rejectHopeless,
    });
    this.#model = { ...engine.model, tokenizer: this.#socket.tokenizer };
    this.#loop = new StepLoop(this.scheduler, this.#socket, this, options.clock, {
      stepped: (record) => this.#stepped(record),
      lost: (error) => this.#recover(error),
      failed: (error) => this.#failStep(error),
      between: options.between,
      idle: options.changed,
    });
  }

  get engine(): StepEngine {
    return this.#socket.engine;
  }

  get recovery(): Recovery {
    return this.#options.recovery;
  }

  /** No step begins any more. */
  get stopped(): boolean {
    return this.#loop.stopped;
  }

  /** Goes on with an engine in place of the one that was lost. */
  plug(engine: StepEngine): void {
    this.#socket.plug(engine);
    this.#endOversized();
  }

  /** There will be no other engine. */
  giveUp(error: TempoError): void {
    void this.#loop.stop();
    this.#endAll(error);
  }

  get limits(): ModelLimits {
    const { temperature, topP } = this.#model.defaults;
    return {
      contextWindow: this.#longest,
      maxPromptTokens: this.scheduler.maxPromptTokens,
      defaults: { temperature, topP },
      images: this.#model.images !== undefined,
    };
  }

  /**
   * Checks a request, loads its images and turns it into tokens; `signal` ends the loading. Rejects with
   * what is wrong with it, or with `engine_lost` where the device went away meanwhile: that is to be tried
   * again.
   */
  async prepare(submission: Submission, signal?: AbortSignal): Promise<ReadySubmission> {
    const turns = new Turns();
    const read = readSubmission(submission, this.#loaded);
    this.#programOf(submission, read.request);
    const images = read.kind === 'chat' ? await this.#imagesOf(read, signal) : undefined;
    await turns.give();
    const preparing = this.#unlessLost(async (engine) => {
      const prepared = await this.#prepared(submission.id, read, images);
      if (prepared.grammar !== undefined) await engine.checkGrammar?.(prepared.grammar, signal);
      return { ...prepared, ...read };
    });
    return inTime(PREPARE_WITHIN_MS, preparing, () => {
      const sentence = `The request could not be made ready in ${PREPARE_WITHIN_MS / 1000} s. Send it again.`;
      return new TempoError('timeout', sentence);
    });
  }

  /** How many tokens a request's prompt has. Rejects as `prepare` does. */
  async countTokens(params: ChatCompletionParams): Promise<number> {
    const read = readParams(params, this.#loaded);
    const images = await this.#imagesOf(read);
    const options = { most: COUNTED, images };
    return this.#unlessLost(async (engine) => {
      const model = this.#sparing('messages', COUNTED);
      const { tokens, tools } = promptOf(read.request, model, options);
      // Tools are part of the prompt: what could not be asked with them is not counted either.
      if (tools?.grammar !== undefined) await engine.checkGrammar?.(tools.grammar);
      return tokens.length;
    });
  }

  /** Queues a request. Throws where there is no room for it; nothing is queued then. */
  submit(submission: Submission, chat: ReadySubmission): Receipt {
    const { id } = submission;
    const { request, warnings } = chat;
    if (this.#loop.stopped)
      throw new TempoError('disposed', 'The engine was replaced. Send it again.');
    if (this.#open.get(id) !== undefined) throw duplicate(id);
    this.#checkImages(chat);
    const program = this.#programOf(submission, request);
    const slo: Slo = program === undefined ? (request.slo ?? submission.slo) : { class: 'program' };
    const [choice, ...others] = chat.choices;
    const arrivalMs = this.#options.clock.now();
    const first = this.#schedule(choice, submission, chat, slo, program, arrivalMs);

    const completion = new Completion(
      {
        id,
        app: submission.app,
        ownSlo: request.slo !== undefined || program !== undefined,
        promptTokens: chat.promptTokens.length,
        images: chat.images ?? [],
        choices: chat.choices,
      },
      this.#options.emit,
    );
    this.#open.add(completion);
    for (const other of others) {
      this.#siblings.keep(completion, first, () =>
        this.#schedule(other, submission, chat, first.slo, program, arrivalMs),
      );
    }
    const estimatedWaitMs = Math.round(first.expectedWaitMs);
    this.#waits.told(first.id, estimatedWaitMs);
    this.wake();
    return {
      id,
      promptTokens: chat.promptTokens.length,
      estimatedWaitMs,
      model: this.#model.id,
      simulated: this.#model.simulated,
      warnings,
    };
  }

  /** Ends a request for its caller; its pages are free before the next step. */
  abort(id: string): void {
    const completion = this.#open.get(id);
    if (completion === undefined) return;
    this.#end(completion, aborted());
    this.wake();
  }

  /** Throws `invalid_slo`, or what is wrong with the program's id. */
  startProgram(start: ProgramStart): void {
    const { id, app, kind, deadline } = readProgram(start);
    this.scheduler.startProgram({ id, app, kind, deadlineMs: deadline }, this.#options.clock.now());
  }

  endProgram(id: string): ProgramReport {
    const program = this.scheduler.programs.get(id);
    if (program === undefined) throw programEnded(id);
    const nowMs = this.#options.clock.now();
    const serviceGain = this.scheduler.endProgram(program, nowMs);
    // One that was given up in the middle of a call has no answer to be judged.
    if (program.calls.at(-1)?.end?.kind === 'finished') this.timeline.programEnded(program, nowMs);
    return {
      id,
      durationMs: nowMs - program.startMs,
      met: nowMs <= program.deadlineMs,
      serviceGain,
      calls: program.calls.length,
    };
  }

  setPolicy(name: PolicyName): void {
    this.scheduler.policy = this.#policyOf(name);
    this.wake();
  }

  /** Changes the objective of an app's live requests, but for those that brought their own. */
  setSlo(app: string, slo: Slo): void {
    for (const completion of this.#open) {
      if (completion.app !== app || completion.ownSlo) continue;
      for (const request of completion.requests) this.scheduler.setSlo(request, slo);
    }
    this.wake();
  }

  exportProfile(): Profile {
    const { lengths, graphs } = this.scheduler;
    return { lengths: lengths.export(), graphs: graphs.export() };
  }

  wake(): void {
    this.#loop.wake();
    this.#options.changed();
  }

  /**
   * Fails what is still open, and lets go of the engine. Takes at most `STEP_WITHIN_MS` and
   * `DISPOSE_WITHIN_MS`: a step that hangs, or an engine that cannot be let go of, must not stop the
   * next. What still comes of it reaches nobody.
   */
  async dispose(error: TempoError): Promise<void> {
    const stopped = this.#loop.stop();
    this.#endAll(error);
    void this.#images?.then((images) => images.stop(error));
    await within(STEP_WITHIN_MS, stopped);
    await letGo(this.engine);
  }

  // What the step loop asks of the server.

  sequence(request: Request): SequenceSpec {
    const entry = this.#open.choice(request.id);
    if (entry === undefined) throw new TempoError('aborted', 'The request is gone.');
    return { ...entry.choice.sequence(), group: this.#groupOf(entry.completion.app) };
  }

  token(request: Request, sampled: SampledToken): FinishReason | null {
    const entry = this.#open.choice(request.id);
    if (entry === undefined) return null;
    this.timeline.output(request);
    const { choice, completion } = entry;
    try {
      const { token } = sampled;
      if (!(Number.isInteger(token) && token >= 0 && token < this.#model.tokenizer.vocabSize)) {
        const sentence = `The engine drew ${token}, which is no token of its vocabulary. Send it again.`;
        throw new TempoError('engine_failed', sentence);
      }
      const output = choice.take(sampled, request.maxTokens);
      if (output === undefined) return null;
      completion.emit({ type: 'delta', id: completion.id, choice: choice.index, ...output });
      if (output.finishReason === undefined) return null;
      this.#finishing.add(completion);
      return output.finishReason;
    } catch (thrown) {
      this.#end(completion, TempoError.from(thrown));
      return null;
    }
  }

  failed(request: Request, error: TempoError): void {
    const entry = this.#open.choice(request.id);
    if (entry !== undefined) this.#end(entry.completion, error);
  }

  // What comes of the steps.

  #stepped(record: StepRecord | null): void {
    for (const completion of this.#finishing) if (completion.settle()) this.#forget(completion);
    this.#finishing.clear();
    this.#siblings.release((completion, error) => this.#end(completion, error));
    if (record === null) return;
    this.recovery.stepped();
    this.timeline.add(record);
    const waits = this.#waits.since(this.scheduler, this.#options.clock.now());
    for (const [id, estimatedWaitMs] of waits) {
      this.#open.get(id)?.emit({ type: 'wait', id, estimatedWaitMs });
    }
    this.#options.changed();
  }

  /** A step failed, the device is fine: its members fail, and nobody else notices. */
  #failStep(error: TempoError): void {
    const members = this.scheduler
      .explain()
      .flatMap(({ requestId, chosen }) => (chosen ? (this.#open.choice(requestId) ?? []) : []));
    for (const { completion } of members) this.#end(completion, error);
    // With nobody to blame it would only fail again.
    if (members.length === 0) this.#endAll(error);
  }

  /** Whatever was in the lost engine waits for the next, or ends here. */
  async #recover(loss: TempoError): Promise<void> {
    const struck = new Set(
      this.scheduler.resident.flatMap(({ id }) => this.#open.choice(id)?.completion ?? []),
    );
    this.scheduler.lost();
    for (const completion of struck) {
      const error = this.recovery.strike(completion, loss);
      if (error !== undefined) this.#end(completion, error);
    }
    await this.recovery.begin(loss, this);
  }

  /** The engine that came back may be smaller than the one that was lost. */
  #endOversized(): void {
    const { capabilities, capacity } = this.scheduler;
    const room = capabilities.continuedPrefill
      ? this.#longest
      : Math.min(this.#longest, capacity.maxPrefillTokens + 1); // what can be computed in one step
    for (const completion of this.#open) {
      const known = Math.max(...completion.requests.map(({ knownTokens }) => knownTokens));
      if (known < room) continue;
      const sentence = `The engine came back with room for ${room} tokens a request; this one has ${known}.`;
      this.#end(completion, new TempoError('out_of_memory', sentence));
    }
  }

  /** What fails on an engine that was lost meanwhile fails with `engine_lost`. */
  async #unlessLost<T>(run: (engine: StepEngine) => Promise<T>): Promise<T> {
    const { engine } = this;
    try {
      return await run(engine);
    } catch (thrown) {
      if (!this.#socket.lost && engine === this.engine) throw thrown;
      throw new TempoError('engine_lost', 'The device was lost.', { cause: thrown });
    }
  }

  /** What answers, as far as reading requests goes. */
  get #loaded() {
    return { model: this.#model.id, images: this.#model.images !== undefined };
  }

  /** The images that a request brings; what is to be said of them joins its warnings. */
  async #imagesOf(
    { request: { messages }, warnings }: ReadChatSubmission,
    signal?: AbortSignal,
  ): Promise<LoadedImages | undefined> {
    const { images: input } = this.#model;
    if (input === undefined || !messages.some((one) => 'images' in one)) return undefined;
    this.#images ??= import('./images').then(({ Images }) => new Images(input));
    const loader = await this.#images;
    const loaded = await loader.load(messages, this.#longest, signal);
    warnings.push(...loaded.warnings);
    return loaded.images;
  }

  /** Throws `queue_full` where open requests hold as many images as there is memory for. */
  #checkImages({ images = [] }: PreparedSubmission): void {
    if (images.length === 0) return;
    const held = new Set([...this.#open].flatMap((completion) => completion.images));
    const bytes = [...new Set([...held, ...images].map(({ pixels }) => pixels))].reduce(
      (sum, pixels) => sum + (pixels?.rgb.byteLength ?? 0),
      0,
    );
    if (bytes <= MOST_IMAGE_BYTES) return;
    throw new TempoError(
      'queue_full',
      `The images of open requests take as much memory as they may (${MOST_IMAGE_BYTES / 2 ** 20} MiB). Try again when some have their answers.`,
      { retryAfterMs: IMAGES_RETRY_MS },
    );
  }

  /** Prompt and output together can be this long, tokens. */
  get #longest(): number {
    const { contextWindow, totalPages, pageSize } = this.scheduler.capacity;
    return Math.min(contextWindow, totalPages * pageSize);
  }

  async #prepared(
    id: string,
    read: ReadSubmission,
    images: LoadedImages | undefined,
  ): Promise<PreparedSubmission> {
    const longest = this.#longest;
    const asked =
      read.kind === 'text' ? read.request.logprobs !== undefined : read.request.logprobs;
    const Logprobs = asked ? (await import('./token-logprobs')).TokenLogprobs : undefined;
    if (read.kind === 'text') {
      return prepareText(id, read.request, this.#sparing('prompt'), longest, Logprobs);
    }
    const model = this.#sparing('messages');
    const prompt = promptOf(read.request, model, { most: longest, images });
    const makeUp = model.simulated ? await makeUpFor(read.request, prompt.tools) : undefined;
    return prepareChat(id, read.request, model, { longest, prompt, makeUp, Logprobs });
  }

  #sparing(param: string, most = this.#longest): LoadedModel {
    return { ...this.#model, tokenizer: sparing(this.#model.tokenizer, most, param) };
  }

  #schedule(
    choice: Choice,
    { app }: Submission,
    { promptTokens, maxTokens, request: { stage } }: ReadySubmission,
    slo: Slo,
    program: Program | undefined,
    arrivalMs: number,
  ): Request {
    const request = this.scheduler.submit(
      {
        id: choice.requestId,
        app,
        stage,
        slo,
        promptTokens: promptTokens.length,
        maxTokens,
        cachedTokens: this.scheduler.kv.matchPrefix(promptTokens, this.#groupOf(app)),
        promised: choice.index > 0,
        program,
      },
      arrivalMs,
    );
    choice.request = request;
    return request;
  }

  /** What is found computed tells what others asked: no app is to learn that of another. */
  #groupOf(app: string): string | undefined {
    return this.#options.config.sharePrefixes === 'all' ? undefined : app;
  }

  #policyOf(name: AnyPolicyName): Policy {
    return createPolicy(name, { weights: this.#options.config.appWeights });
  }

  #programOf({ program: id }: Submission, { slo }: ReadSubmission['request']): Program | undefined {
    if (id === undefined || id === null) return undefined;
    if (slo !== undefined && slo.class !== 'program') {
      throw new TempoError(
        'invalid_slo',
        'The calls of a program are accounted to its deadline; leave their slo out.',
        { param: 'slo' },
      );
    }
    const program = this.scheduler.programs.get(id);
    if (program === undefined) throw programEnded(id);
    return program;
  }

  /** Ends a completion badly, in the scheduler's books and for its caller. */
  #end(completion: Completion, error: TempoError): void {
    const end: RequestEnd =
      error.code === 'aborted' ? { kind: 'aborted' } : { kind: 'failed', error };
    const nowMs = this.#options.clock.now();
    for (const request of completion.requests) this.scheduler.end(request, end, nowMs);
    completion.fail(error);
    this.#forget(completion);
  }

  #endAll(error: TempoError): void {
    for (const completion of this.#open) this.#end(completion, error);
  }

  #forget(completion: Completion): void {
    this.#open.delete(completion);
    this.#siblings.forget(completion);
  }
}

/** Two requests of one id could not be told apart. */
export function duplicate(id: string): TempoError {
  return new TempoError('invalid_request', `There is a request "${id}" already.`, { param: 'id' });
}

function programEnded(id: string): TempoError {
  return new TempoError(
    'program_ended',
    `There is no running program "${id}": it has ended, or was never started. Start a new one.`,
    { param: 'program' },
  );
}
