import { afterReasoning } from '../engine/sampling/after-reasoning';
import { checkSampling } from '../engine/sampling/check';
import { checkJsonSchema } from '../engine/sampling/json-schema';
import { patternToGrammar } from '../engine/sampling/string-pattern';
import type { ConversationTemplate, LoadedModel } from '../engine/step-engine';
import { promptTokens, replyStartsInReasoning } from '../engine/text';
import {
  type GrammarSpec,
  hashText,
  type SamplingParams,
  type SimulationScript,
  TempoError,
} from '../scheduler';
import type { ChatCompletionParams, ResponseFormat, SimulatedReply } from './chat-types';
import { Choice } from './choice';
import { type PreparedTools, prepareTools, turnsOf } from './tools';

/** A request's prompt, as the model is fed it. */
export interface PreparedPrompt {
  tokens: Int32Array;
  tools: PreparedTools | undefined;
  /** It ends inside the model's reasoning. */
  reasoningOpen: boolean;
}

/** A chat request made ready for the scheduler. */
export interface PreparedChat {
  promptTokens: Int32Array;
  maxTokens: number;
  choices: Choice[];
  /** What the output is held to; the engine has not seen it yet. */
  grammar: GrammarSpec | undefined;
}

/**
 * Turns a checked chat request into tokens and choices; prompt and output together may be `longest`
 * tokens. Throws typed errors that name the field.
 */
export function prepareChat(
  id: string,
  params: ChatCompletionParams,
  model: LoadedModel,
  longest: number,
): PreparedChat {
  const { tokenizer, template } = model;
  const { tokens: prompt, tools, reasoningOpen } = promptOf(params, model);
  const answer = grammarOf(params.response_format, tools);
  const grammar = reasoningOpen && answer !== undefined ? afterReasoning(answer) : answer;
  const sampling = samplingOf(params, model);
  checkSampling(sampling, tokenizer.vocabSize);
  const script = model.simulated ? scriptOf(params.simulate, model) : undefined;
  const stopTokens = new Set(template.stop_token_ids);
  const stop = typeof params.stop === 'string' ? [params.stop] : (params.stop ?? []);
  const choices = Array.from({ length: params.n ?? 1 }, (_, index) => {
    const spec = {
      index,
      requestId: index === 0 ? id : `${id}#${index}`,
      promptTokens: prompt,
      sampling: { ...sampling, grammar, seed: seedOf(sampling.seed, index) },
      script,
      stopTokens,
      stopStrings: [...template.stop_str, ...stop],
      reasoningOpen,
      toolCalls: tools?.parser(newCallId),
    };
    return new Choice(spec, tokenizer);
  });
  const wanted = params.max_completion_tokens ?? params.max_tokens ?? longest;
  const maxTokens = Math.max(1, Math.min(wanted, longest - prompt.length));
  return { promptTokens: prompt, maxTokens, choices, grammar };
}

/** The prompt of a checked chat request. Throws typed errors that name the field. */
export function promptOf(params: ChatCompletionParams, model: LoadedModel): PreparedPrompt {
  if (params.model !== undefined && params.model !== model.id) {
    throw new TempoError(
      'unknown_model',
      `The loaded model is "${model.id}", not "${params.model}". Leave model out, or load the other one first.`,
      { param: 'model' },
    );
  }
  const { tokenizer, template } = model;
  const tools = prepareTools(params, template);
  const options = {
    thinking: params.extra_body?.enable_thinking ?? true,
    continued: params.continue_final_message ?? false,
  };
  const turns = turnsOf(params.messages, template, tools);
  return {
    tokens: promptTokens(tokenizer, template, turns, options),
    tools,
    reasoningOpen: replyStartsInReasoning(template, options),
  };
}

function samplingOf(params: ChatCompletionParams, { defaults }: LoadedModel): SamplingParams {
  return {
    temperature: params.temperature ?? defaults.temperature,
    topP: params.top_p ?? defaults.topP,
    topK: params.top_k ?? undefined,
    frequencyPenalty: params.frequency_penalty ?? defaults.frequencyPenalty,
    presencePenalty: params.presence_penalty ?? defaults.presencePenalty,
    repetitionPenalty: params.repetition_penalty ?? defaults.repetitionPenalty,
    logitBias: params.logit_bias ?? undefined,
    topLogprobs: params.logprobs ? (params.top_logprobs ?? 0) : undefined,
    seed: (params.seed ?? Math.floor(Math.random() * 2 ** 32)) | 0,
    ignoreEos: params.ignore_eos,
  };
}

/** Every choice draws from a stream of its own; the first from the request's. */
function seedOf(seed: number, index: number): number {
  return index === 0 ? seed : hashText(`${seed}#${index}`) | 0;
}

function grammarOf(
  format: ResponseFormat = { type: 'text' },
  tools: PreparedTools | undefined,
): GrammarSpec | undefined {
  const answer = formatGrammar(format);
  return tools === undefined ? answer : tools.grammar(answer);
}

function formatGrammar(format: ResponseFormat): GrammarSpec | undefined {
  switch (format.type) {
    case 'text':
      return undefined;
    case 'json_object':
      return { type: 'json' };
    case 'json_schema': {
      const { schema } = format.json_schema;
      checkJsonSchema(schema, 'response_format.json_schema.schema');
      return { type: 'json_schema', schema: JSON.stringify(schema) };
    }
    case 'regex':
      return {
        type: 'ebnf',
        grammar: patternToGrammar(format.pattern, 'response_format.pattern'),
      };
    case 'grammar':
      return { type: 'ebnf', grammar: format.grammar };
  }
}

/** The reply as tokens; calls are written the way the model's chat template has them. */
function scriptOf(
  reply: SimulatedReply | undefined,
  { tokenizer, template }: { tokenizer: LoadedModel['tokenizer']; template: ConversationTemplate },
): SimulationScript | undefined {
  if (reply === undefined) return undefined;
  const calls = reply.tool_calls?.map(({ name, arguments: args }, i) => ({
    id: String(i),
    type: 'function' as const,
    function: { name, arguments: JSON.stringify(args) },
  }));
  const message = {
    role: 'assistant' as const,
    content: reply.content ?? null,
    tool_calls: calls?.length ? calls : undefined,
  };
  const text = turnsOf([message], template)
    .map(({ content }) => content)
    .join('');
  return { tokens: tokenizer.encode(text) };
}

function newCallId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `call_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
