import { afterReasoning } from '../engine/sampling/after-reasoning';
import { checkSampling } from '../engine/sampling/check';
import type { LoadedModel, Tokenizer } from '../engine/step-engine';
import { encodePrompt, replyStartsInReasoning } from '../engine/text';
import {
  type GrammarSpec,
  hashText,
  type SamplingParams,
  type SequenceImage,
  type SimulationScript,
  TempoError,
} from '../scheduler';
import { Choice, nothingLeft } from './choice';
import { type MakeUp, simulatedReply } from './simulated-reply';
import { beginning } from './sparing';
import type { TokenLogprobs } from './token-logprobs';
import { type LoadedImages, type PreparedTools, prepareTools, turnsOf } from './tools';
import { Turns } from './turns';
import type { ReadChatParams, ReadTextParams, ScriptedReply } from './validate';

/** A request's prompt, as the model is fed it. */
export interface PreparedPrompt {
  tokens: Int32Array;
  /** Where among the tokens there are images. */
  images: readonly SequenceImage[];
  tools: PreparedTools | undefined;
  /** It ends inside the model's reasoning. */
  reasoningOpen: boolean;
  /** Otherwise the answer may still begin with it. */
  mayReason: boolean;
}

/** A request made ready for the scheduler. */
export interface PreparedSubmission {
  promptTokens: Int32Array;
  images?: readonly SequenceImage[];
  maxTokens: number;
  choices: Choice[];
  /** What the output is held to; the engine has not seen it yet. */
  grammar: GrammarSpec | undefined;
}

export interface PrepareOptions {
  /** Prompt and output together may be so many tokens. */
  longest: number;
  /** The request's prompt. */
  prompt: PreparedPrompt;
  /** What a simulated engine makes an answer up with that is held to a form. */
  makeUp?: MakeUp;
  /** What tells log probabilities, where they are asked for. */
  Logprobs?: typeof TokenLogprobs;
}

/** Turns a chat request and its prompt into choices. Throws typed errors that name the field. */
export async function prepareChat(
  id: string,
  request: ReadChatParams,
  model: LoadedModel,
  { longest, prompt: prepared, makeUp, Logprobs }: PrepareOptions,
): Promise<PreparedSubmission> {
  const { tokenizer, template } = model;
  const { tokens: prompt, images, tools, reasoningOpen, mayReason } = prepared;
  const answer = tools?.grammar ?? request.response_format;
  const grammar =
    answer !== undefined && (reasoningOpen || mayReason)
      ? afterReasoning(answer, { open: reasoningOpen })
      : answer;
  const topLogprobs = request.logprobs ? (request.top_logprobs ?? 0) : undefined;
  const sampling = samplingOf(request, topLogprobs, model);
  const stopTokens = new Set(template.stop_token_ids);
  const resumed = request.generated_token_ids ?? [];
  checkTokens(resumed, tokenizer, 'generated_token_ids');
  const choices: Choice[] = [];
  const turns = new Turns();
  let script: SimulationScript | undefined;
  for (let index = 0; index < (request.n ?? 1); index++) {
    const seed = seedOf(sampling.seed, index);
    const reply = model.simulated ? await simulatedReply(request, tools, makeUp, seed) : undefined;
    // What the request itself says is the same for all.
    if (index === 0 || makeUp !== undefined) script = reply && scriptOf(reply, model, longest);
    const spec = {
      index,
      requestId: index === 0 ? id : `${id}#${index}`,
      promptTokens: prompt,
      images,
      sampling: { ...sampling, grammar, seed },
      script,
      stopTokens,
      endStrings: template.stop_str,
      stopStrings: request.stop,
      reasoningOpen,
      keepsReasoning: request.separate_reasoning === false,
      toolCalls: tools?.parser(),
      logprobs: Logprobs && new Logprobs(tokenizer, model.simulated),
      resumed,
      tellsTokens: request.return_token_ids,
    };
    choices.push(new Choice(spec, tokenizer));
    await turns.give();
  }
  const wanted = request.max_completion_tokens ?? request.max_tokens ?? longest;
  const room = Math.min(wanted, longest - prompt.length);
  if (resumed.length > 0 && room <= resumed.length) throw nothingLeft();
  return {
    promptTokens: Int32Array.from([...prompt, ...resumed]),
    images,
    maxTokens: Math.max(1, room - resumed.length),
    choices,
    grammar,
  };
}

/** The prompt of a chat request. Throws typed errors that name the field. */
export function promptOf(
  request: ReadChatParams,
  model: LoadedModel,
  { most, images }: { most: number; images?: LoadedImages },
): PreparedPrompt {
  checkModel(request.model, model);
  const { tokenizer, template } = model;
  const tools = prepareTools(request, template);
  const wanted = request.extra_body?.enable_thinking ?? request.reasoning_effort !== 'none';
  const taught = isTaughtToThink(model);
  const continued = request.continue_final_message ?? false;
  // To a model that knows no reasoning, an empty block of it is only strange.
  const options = { thinking: wanted || !taught, continued, most, images: model.images?.layout };
  const turns = turnsOf(request.messages, template, tools, images);
  // What such a model says in words may begin with <think> as with anything.
  const inWords = tools?.required === false && request.response_format === undefined;
  return {
    ...encodePrompt(tokenizer, template, turns, options),
    tools,
    reasoningOpen: replyStartsInReasoning(template, options),
    mayReason:
      wanted && !continued && (taught || request.extra_body?.enable_thinking === true || inWords),
  };
}

/** A model was taught to think if its vocabulary has a token for it, or its template begins with it. */
function isTaughtToThink({ tokenizer, template }: LoadedModel): boolean {
  return tokenizer.encode('<think>').length === 1 || replyStartsInReasoning(template);
}

/** Throws `invalid_request` where the model has no such token. */
export function checkTokens(
  tokens: readonly number[],
  { vocabSize }: Tokenizer,
  param: string,
): void {
  const stranger = tokens.find((token) => token >= vocabSize);
  if (stranger === undefined) return;
  throw new TempoError(
    'invalid_request',
    `${param} names token ${stranger}; this model's tokens are 0 to ${vocabSize - 1}.`,
    { param },
  );
}

/** Throws `unknown_model` where a request names another model than the loaded one. */
export function checkModel(name: string | undefined, { id }: LoadedModel): void {
  if (name === undefined || name === id) return;
  throw new TempoError(
    'unknown_model',
    `The loaded model is "${id}", not "${name}". Leave model out, or load the other one first.`,
    { param: 'model' },
  );
}

/** How tokens are drawn, `topLogprobs` of the likeliest told. Throws what the model cannot do. */
export function samplingOf(
  params: ReadChatParams | ReadTextParams,
  topLogprobs: number | undefined,
  { defaults, tokenizer }: LoadedModel,
): SamplingParams {
  const sampling: SamplingParams = {
    temperature: params.temperature ?? defaults.temperature,
    topP: params.top_p ?? defaults.topP,
    topK: params.top_k,
    frequencyPenalty: params.frequency_penalty ?? defaults.frequencyPenalty,
    presencePenalty: params.presence_penalty ?? defaults.presencePenalty,
    repetitionPenalty: params.repetition_penalty ?? defaults.repetitionPenalty,
    logitBias: params.logit_bias,
    topLogprobs,
    seed: (params.seed ?? Math.floor(Math.random() * 2 ** 32)) | 0,
    ignoreEos: params.ignore_eos,
  };
  checkSampling(sampling, tokenizer.vocabSize);
  return sampling;
}

/** Every choice draws from a stream of its own; the first from the request's. */
export function seedOf(seed: number, index: number): number {
  return index === 0 ? seed : hashText(`${seed}#${index}`) | 0;
}

/** The reply as tokens; calls are written the way the model's chat template has them. */
function scriptOf(
  { content, tool_calls: calls = [] }: ScriptedReply,
  { tokenizer, template }: LoadedModel,
  longest: number,
): SimulationScript {
  const written = calls.map(({ name, arguments: args }, i) => ({
    id: String(i),
    type: 'function' as const,
    function: { name, arguments: JSON.stringify(args) },
  }));
  const [turn] = turnsOf(
    [
      {
        role: 'assistant',
        content: content ?? null,
        ...(written.length > 0 && { tool_calls: written }),
      },
    ],
    template,
  );
  return { tokens: tokenizer.encode(beginning(turn.content, longest)) };
}
