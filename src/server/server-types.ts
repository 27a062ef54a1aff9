/** What goes in and out of a server besides chat: loading, events, and what watchers see. */
import type { EngineStatus, LoadProgress } from '../engine/step-engine';
import type { AppConfig, ChatOptions } from '../engine/webllm/app-config';
import type {
  AnyPolicyName,
  Explanation,
  MetricsSnapshot,
  PolicyName,
  Slo,
  SloClass,
  TempoErrorJson,
} from '../scheduler';
import type {
  ChatCompletionParams,
  ChatFinishReason,
  ChoiceDelta,
  ChoiceLogprobs,
  Usage,
} from './chat-types';
import type { TextCompletionParams } from './text-types';

export interface LoadConfig {
  engine: 'webllm' | 'simulated';
  /** A WebLLM model id, or a device profile's name for the simulated engine. */
  model: string;
  /** Its name, or another under which it is published. */
  policy: AnyPolicyName;
  /** Sequences with KV pages at once (WebLLM engine). */
  maxSequences?: number;
  /** Memory for the KV cache, bytes (WebLLM engine). */
  kvBytes?: number;
  /** How hard objectives are: late gain is multiplied by (SLO/actual)^alpha. */
  alpha?: number;
  /** GPU share guaranteed to best-effort work, 0 to 1. */
  bestEffortShare?: number;
  /** Requests that may wait at once. */
  maxWaiting?: number;
  /** Refuse (`slo_unattainable`) what cannot make its objective, instead of serving it last. */
  rejectHopeless?: boolean;
  /**
   * Who shares what was computed of prompts that start alike: the requests of one app (default), or all.
   * With `all`, `usage` and the time that a request takes tell an app whether another asked the same.
   */
  sharePrefixes?: 'app' | 'all';
  /** In place of WebLLM's own list of models: your models, your servers, where they are kept. */
  appConfig?: AppConfig;
  /** What is to be other than the model's own configuration says: context window, sampling, template. */
  chatOptions?: ChatOptions;
  /** Embedding models to load beside the chat model, by id; the first answers where none is named. */
  embeddingModels?: readonly string[];
  /** Weight per app for fair sharing under `tempo`; absent: service gain alone decides. */
  appWeights?: Readonly<Record<string, number>>;
}

interface RequestEnvelope {
  id: string;
  app: string;
  slo: Slo;
  /** The program it belongs to. */
  program?: string | null;
}

/** A chat request on its way to the server. */
export interface ChatSubmission extends RequestEnvelope {
  kind?: 'chat';
  params: ChatCompletionParams;
}

/** A text to go on with, on its way to the server. */
export interface TextSubmission extends RequestEnvelope {
  kind: 'text';
  params: TextCompletionParams;
}

export type Submission = ChatSubmission | TextSubmission;

/** The server's word on a request it has queued. */
export interface Receipt {
  id: string;
  promptTokens: number;
  /** Expected time until the request is first served, ms. */
  estimatedWaitMs: number;
  /** What answers. */
  model: string;
  /** The answer's text will be made up. */
  simulated: boolean;
  /** A sentence for each field of the request that is known and ignored, the same every time. */
  warnings: string[];
}

export interface ProgramStart {
  id: string;
  app: string;
  /** Programs of one kind are matched with one another; default: the app. */
  kind?: string | null;
  /** ms from now */
  deadline: number;
}

export interface ProgramReport {
  id: string;
  /** ms */
  durationMs: number;
  met: boolean;
  serviceGain: number;
  calls: number;
}

/** What happens to a request, in order. `done` and `error` are last, and only one of them comes. */
export type RequestEvent =
  | {
      type: 'delta';
      id: string;
      choice: number;
      delta: ChoiceDelta;
      logprobs?: ChoiceLogprobs;
      finishReason?: ChatFinishReason;
    }
  | { type: 'wait'; id: string; estimatedWaitMs: number }
  | { type: 'done'; id: string; usage: Usage }
  | { type: 'error'; id: string; error: TempoErrorJson };

/** What requests can count on, once a model is loaded. */
export interface ModelLimits {
  /** Longest prompt and answer together, tokens. */
  contextWindow: number;
  /** Longest prompt, tokens. */
  maxPromptTokens: number;
  /** How tokens are drawn for a request that does not say. */
  defaults: { temperature: number; topP: number };
  /** Messages of the role user may hold images. */
  images: boolean;
}

export type ServerState =
  | { phase: 'idle' }
  | { phase: 'loading'; progress: LoadProgress }
  | { phase: 'ready'; engine: EngineStatus; limits: ModelLimits }
  /** The device was lost; the engine is loading again, requests wait. */
  | { phase: 'recovering'; attempt: number }
  | { phase: 'failed'; error: TempoErrorJson };

/** One step, as the timeline shows it. */
export interface StepTrace {
  number: number;
  /** Server's monotonic clock, ms. */
  startMs: number;
  endMs: number;
  work: StepWork[];
  preempted: string[];
  /** Requests whose answer this step completed. */
  finished: FinishedTrace[];
}

/** What a step did for one request. */
export interface StepWork {
  requestId: string;
  app: string;
  kind: 'decode' | 'prefill';
  tokens: number;
  /** The output token that it gave, if it gave one: its place, from 0, and how long after the one before it (the first: after arrival) it came, ms. */
  output?: { index: number; sinceMs: number };
}

/** A request whose answer is complete. */
export interface FinishedTrace {
  requestId: string;
  app: string;
  class: SloClass;
  arrivalMs: number;
  /** It met its objective. */
  met: boolean;
}

/** A program that has ended. */
export interface ProgramTrace {
  id: string;
  app: string;
  startMs: number;
  deadlineMs: number;
  endMs: number;
}

/** One live request, as the queue shows it. */
export interface RequestTrace {
  id: string;
  app: string;
  stage: string;
  class: SloClass;
  slo: Slo;
  program?: string;
  /** `waiting`: no pages; `paused`: pages, but not in the last step. */
  state: 'waiting' | 'paused' | 'prefill' | 'decode';
  arrivalMs: number;
  /** When the next token, or the whole, is due, ms; undefined for best-effort. */
  dueMs?: number;
  promptTokens: number;
  computedTokens: number;
  generatedTokens: number;
  maxTokens: number;
}

/** What watchers get, at most once a frame. */
export interface Snapshot {
  /** Server's monotonic clock, ms. */
  atMs: number;
  state: ServerState;
  policy: PolicyName;
  /** Since when that policy decides, ms. */
  policySinceMs: number;
  simulated: boolean;
  metrics: MetricsSnapshot;
  /** Steps since the last snapshot to this watcher, oldest first. */
  steps: StepTrace[];
  /** Programs that ended since the last snapshot to this watcher, oldest first. */
  programs: ProgramTrace[];
  /** Live requests: those with pages, then the queue in order of arrival; the first 256 of them. */
  requests: RequestTrace[];
  /** How many requests are live, all of them. */
  live: { resident: number; waiting: number };
  /** The last plan, explained, for the same requests. */
  plan: Explanation[];
  kv: { totalPages: number; freePages: number; cachedPages: number };
  /** What prefix sharing saved since the load: prompt tokens added, and those found computed. */
  prefix?: { lookups: number; hits: number; tokens: number; cachedTokens: number };
  capacity: { maxBatch: number; maxSequences: number; contextWindow: number };
  /** Output tokens over the last two seconds, per second. */
  tokensPerSecond: number;
}
