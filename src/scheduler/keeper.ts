import type { TempoError } from './errors';
import type { SampledToken, SequenceSpec } from './executor';
import type { FinishReason, Request } from './request';

/** Who knows a request's tokens: the server (text), or the lab (lengths alone). */
export interface TokenKeeper {
  /** The request as the engine wants it: prompt and what was generated so far. */
  sequence(request: Request): SequenceSpec;
  /** Takes a sampled token. Returns why the request is finished, or null if it goes on. */
  token(request: Request, sampled: SampledToken, nowMs: number): FinishReason | null;
  /** A request ended otherwise than by finishing. */
  failed(request: Request, error: TempoError): void;
}
