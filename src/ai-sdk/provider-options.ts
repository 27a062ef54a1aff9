import {
  InvalidArgumentError,
  type JSONObject,
  type SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import type { Slo } from '../client';
import { isObject } from './schema';

/**
 * `providerOptions.tempo` of one call: what the AI SDK has no setting for, named as in Tempo's own
 * requests. What is null or undefined is not set. Unknown fields are refused (`InvalidArgumentError`).
 */
export type TempoProviderOptions = {
  /** This call's objective instead of its app's. Times in ms. */
  slo?: Slo | null;
  /** What the call is for within its app; lengths are learnt per stage. */
  stage?: string | null;
  /** The app it is accounted to instead of the provider's. */
  app?: string | null;
  /** The id of the program it belongs to: one of `provider.program()`, or the provider's own. */
  program?: string | null;
  /** What a simulated engine is to answer. Real engines ignore it. */
  simulate?: {
    content?: string;
    tool_calls?: { name: string; arguments: JSONObject }[];
  } | null;
  /** False: a thinking model answers at once. Goes before the call's `reasoning`. */
  enable_thinking?: boolean | null;
  /** Above 1: what was said already is less likely. */
  repetition_penalty?: number | null;
  /** Token ids to what is added to their logits, -100 to 100. */
  logit_bias?: { [token: string]: number } | null;
  /** True: every token's log probability, in `providerMetadata.tempo.logprobs`. */
  logprobs?: boolean | null;
  /** How many of the likeliest tokens are told beside each, 0 to 20. Needs `logprobs`. */
  top_logprobs?: number | null;
  /** The answer goes on to `maxOutputTokens`. */
  ignore_eos?: boolean | null;
  /** False: at most one tool call an answer. Default true. */
  parallel_tool_calls?: boolean | null;
  /** What the answer is held to, beyond the AI SDK's objects: a regular expression, or EBNF. */
  response_format?:
    | { type: 'regex'; pattern: string }
    | { type: 'grammar'; grammar: string }
    | null;
};

/** What each may be; all beyond that the server checks. */
const KINDS: Record<keyof TempoProviderOptions, 'string' | 'number' | 'boolean' | 'object'> = {
  slo: 'object',
  stage: 'string',
  app: 'string',
  program: 'string',
  simulate: 'object',
  enable_thinking: 'boolean',
  repetition_penalty: 'number',
  logit_bias: 'object',
  logprobs: 'boolean',
  top_logprobs: 'number',
  ignore_eos: 'boolean',
  parallel_tool_calls: 'boolean',
  response_format: 'object',
};

/** The options that are set. */
export type GivenOptions = {
  [K in keyof TempoProviderOptions]: NonNullable<TempoProviderOptions[K]>;
};

/** A call's options. Throws `InvalidArgumentError`, naming the field, for what is none of `known`. */
export function tempoOptions(
  options: SharedV4ProviderOptions | undefined,
  known: readonly string[] = Object.keys(KINDS),
): GivenOptions {
  const tempo: unknown = options?.tempo ?? {};
  if (!isObject(tempo)) throw invalid('tempo', `must be an object; got ${show(tempo)}`);
  const set = Object.entries(tempo).filter(([, value]) => value !== undefined && value !== null);
  const given: Record<string, unknown> = Object.fromEntries(set);
  checkOptions(given, known);
  return given;
}

function checkOptions(
  given: Record<string, unknown>,
  known: readonly string[],
): asserts given is GivenOptions {
  for (const [name, value] of Object.entries(given)) {
    if (!isOption(name) || !known.includes(name)) {
      throw invalid(`tempo.${name}`, `is not known here; what is: ${known.join(', ')}`);
    }
    const kind = KINDS[name];
    if (kind === 'object' ? isObject(value) : typeof value === kind) continue;
    const article = kind === 'object' ? 'an' : 'a';
    throw invalid(`tempo.${name}`, `must be ${article} ${kind}; got ${show(value)}`);
  }
}

function isOption(name: string): name is keyof TempoProviderOptions {
  return Object.hasOwn(KINDS, name);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : String(value);
}

function invalid(field: string, sentence: string): InvalidArgumentError {
  const argument = `providerOptions.${field}`;
  return new InvalidArgumentError({ argument, message: `${argument} ${sentence}.` });
}
