import { metSlo, type Request, type SequenceImage, type TempoError } from '../scheduler';
import type { Usage } from './chat-types';
import type { Choice } from './choice';
import type { RequestEvent } from './server-types';

export interface CompletionSpec {
  id: string;
  app: string;
  /** The request brought an objective of its own, which its app's changes leave alone. */
  ownSlo: boolean;
  promptTokens: number;
  images: readonly SequenceImage[];
  choices: readonly Choice[];
}

/** A request as the server holds it: its choices, and its one end. */
export class Completion {
  readonly id: string;
  readonly app: string;
  readonly ownSlo: boolean;
  readonly promptTokens: number;
  readonly images: readonly SequenceImage[];
  readonly choices: readonly Choice[];
  readonly #emit: (event: RequestEvent) => void;
  #ended = false;

  constructor(spec: CompletionSpec, emit: (event: RequestEvent) => void) {
    this.id = spec.id;
    this.app = spec.app;
    this.ownSlo = spec.ownSlo;
    this.promptTokens = spec.promptTokens;
    this.images = spec.images;
    this.choices = spec.choices;
    this.#emit = emit;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The choices' requests that the scheduler knows. */
  get requests(): Request[] {
    return this.choices.flatMap(({ request }) => request ?? []);
  }

  emit(event: RequestEvent): void {
    if (!this.#ended) this.#emit(event);
  }

  /** Ends well, if every choice has. Returns whether it ended. */
  settle(): boolean {
    if (this.#ended || !this.choices.every((choice) => choice.request?.ended)) return false;
    this.#emit({ type: 'done', id: this.id, usage: this.#usage() });
    this.#ended = true;
    return true;
  }

  /** Ends badly. The first end counts; returns whether this was it. */
  fail(error: TempoError): boolean {
    if (this.#ended) return false;
    this.#emit({ type: 'error', id: this.id, error: error.toJSON() });
    this.#ended = true;
    return true;
  }

  #usage(): Usage {
    const requests = this.requests;
    const completionTokens = requests.reduce((sum, request) => sum + request.generated, 0);
    const first = requests[0];
    const gaps = requests.reduce((sum, request) => sum + Math.max(0, request.generated - 1), 0);
    const decodingMs = requests.reduce(
      (sum, { firstTokenMs = 0, lastTokenMs = 0 }) => sum + lastTokenMs - firstTokenMs,
      0,
    );
    return {
      prompt_tokens: this.promptTokens,
      completion_tokens: completionTokens,
      total_tokens: this.promptTokens + completionTokens,
      prompt_tokens_details: {
        cached_tokens: first.admittedMs === undefined ? 0 : first.cachedTokens,
      },
      completion_tokens_details: {
        reasoning_tokens: this.choices.reduce((sum, choice) => sum + choice.reasoningTokens, 0),
      },
      extra: {
        queued_ms: (first.admittedMs ?? first.arrivalMs) - first.arrivalMs,
        ttft_ms: (first.firstTokenMs ?? first.arrivalMs) - first.arrivalMs,
        tbt_ms: gaps === 0 ? 0 : decodingMs / gaps,
        ttlt_ms: Math.max(...requests.map(({ endMs = 0, arrivalMs }) => endMs - arrivalMs)),
        slo_met: requests.every((request) => metSlo(request)),
        service_gain: requests.reduce((sum, request) => sum + request.gain, 0),
        preemptions: requests.reduce((sum, request) => sum + request.preemptions, 0),
      },
    };
  }
}
