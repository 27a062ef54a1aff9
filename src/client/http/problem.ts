import { TempoError } from '../../worker/protocol';

/** What an error looks like to a client of the OpenAI API. */
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** An answer that is an error, before it is a response. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly body: ErrorBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    {
      param,
      type,
      headers,
    }: { param?: string; type?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.body = {
      error: { message, type: type ?? 'invalid_request_error', param: param ?? null, code },
    };
    this.headers = headers ?? {};
  }

  /** Whatever was thrown, as a problem. */
  static from(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    const error = TempoError.from(thrown);
    const { code, message, param, retryAfterMs } = error;
    const headers: Record<string, string> = {};
    if (retryAfterMs !== undefined) {
      headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));
      headers['retry-after-ms'] = String(Math.ceil(retryAfterMs));
    } else if (IN_VAIN.has(code)) {
      headers['x-should-retry'] = 'false';
    }
    // A client's own signal ends its call by itself: whoever else ended it, the service was not there.
    const [status, type] = code === 'aborted' ? [503, 'server_error'] : [error.status, error.type];
    return new Problem(status, code, message, { param, type, headers });
  }
}

/**
 * Errors whose status would have clients try again (408, 409, 429, 5xx), and that stay the same however
 * often they try. OpenAI's own clients heed `x-should-retry`.
 */
const IN_VAIN: ReadonlySet<string> = new Set([
  'program_ended',
  'slo_unattainable',
  'worker_unavailable',
  'webgpu_unavailable',
  'shader_f16_unavailable',
  'out_of_memory',
  'unsupported',
]);
