/**
 * The one family of errors. Each has a code to branch on and a sentence a web developer can act on.
 * `status` and `type` mirror the OpenAI API's error object, so that code written for it keeps working.
 */
export type TempoErrorCode =
  // the caller's request
  | 'invalid_request'
  | 'invalid_slo'
  | 'invalid_schema'
  | 'context_length_exceeded'
  | 'unknown_model'
  | 'unknown_policy'
  | 'unknown_tool'
  | 'program_ended'
  // the service
  | 'aborted'
  | 'timeout'
  | 'queue_full'
  | 'slo_unattainable'
  | 'not_loaded'
  | 'load_in_progress'
  | 'disposed'
  | 'worker_unavailable'
  | 'worker_crashed'
  // the engine
  | 'webgpu_unavailable'
  | 'shader_f16_unavailable'
  | 'out_of_memory'
  | 'network'
  | 'engine_lost'
  | 'engine_failed'
  | 'unsupported';

/** What is not here is the server's own fault: 500. */
const STATUS: Partial<Record<TempoErrorCode, number>> = {
  context_length_exceeded: 400,
  invalid_request: 400,
  invalid_schema: 400,
  invalid_slo: 400,
  unknown_tool: 400,
  unknown_model: 404,
  unknown_policy: 404,
  timeout: 408,
  load_in_progress: 409,
  program_ended: 409,
  queue_full: 429,
  slo_unattainable: 429,
  aborted: 499,
  shader_f16_unavailable: 501,
  unsupported: 501,
  webgpu_unavailable: 501,
  network: 502,
  disposed: 503,
  not_loaded: 503,
  out_of_memory: 507,
};

/** A caller whose signal ends a call expects the platform's name for it. */
const PLATFORM_NAMES: Partial<Record<TempoErrorCode, string>> = {
  aborted: 'AbortError',
  timeout: 'TimeoutError',
};

export interface TempoErrorDetails {
  /** The offending field, as a path: `messages[2].role`. */
  param?: string;
  /** How long to wait before trying again, in ms (queue_full, slo_unattainable). */
  retryAfterMs?: number;
  cause?: unknown;
}

/** What an error looks like on the wire. */
export interface TempoErrorJson {
  code: TempoErrorCode;
  message: string;
  param?: string;
  retryAfterMs?: number;
}

/** What every file of the package knows a TempoError by. */
const BRAND = Symbol.for('tempo-llm.error');

export class TempoError extends Error {
  readonly code: TempoErrorCode;
  /** The HTTP status a server would answer with. */
  readonly status: number;
  readonly param?: string;
  readonly retryAfterMs?: number;

  constructor(code: TempoErrorCode, message: string, details: TempoErrorDetails = {}) {
    super(message, details); // takes its cause
    this.name = PLATFORM_NAMES[code] ?? 'TempoError';
    this.code = code;
    this.status = STATUS[code] ?? 500;
    this.param = details.param;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** Several files of the package have this class in them; an error of any of them is a TempoError. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a class below this one has instances of its own
    return this === TempoError ? BRAND in Object(value) : super[Symbol.hasInstance](value);
  }

  /** @internal */
  [BRAND](): void {}

  /** The OpenAI API's name for this kind of error. */
  get type(): string {
    if (this.status === 429) return 'rate_limit_error';
    return this.status < 500 ? 'invalid_request_error' : 'server_error';
  }

  toJSON(): TempoErrorJson {
    return {
      code: this.code,
      message: this.message,
      param: this.param,
      retryAfterMs: this.retryAfterMs,
    };
  }

  static fromJSON(json: TempoErrorJson): TempoError {
    return new TempoError(json.code, json.message, json);
  }

  /** Any thrown value as a TempoError; what is none already becomes `fallback`. */
  static from(thrown: unknown, fallback: TempoErrorCode = 'engine_failed'): TempoError {
    if (thrown instanceof TempoError) return thrown;
    return new TempoError(fallback, wordsOf(thrown), { cause: thrown });
  }
}

/** A value as a sentence can have it, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value !== 'object' || value === null) return String(value);
  if (!Array.isArray(value)) return 'an object';
  return value.length === 0 ? 'an empty list' : 'a list';
}

/** What a thrown value says. Anything may be thrown, and not all of it has words. */
function wordsOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'Unknown error.';
  }
}
