import { checkSampling } from '../engine/sampling/check';
import type { LoadedModel, Tokenizer } from '../engine/step-engine';
import { promptTokens, type Turn } from '../engine/text';
import { hashText, type SamplingParams, type SimulationScript, TempoError } from '../scheduler';
import type { ChatCompletionParams, ChatMessage, SimulatedReply } from './chat-types';
import { Choice } from './choice';

/** A chat request made ready for the scheduler. */
export interface PreparedChat {
  promptTokens: Int32Array;
  maxTokens: number;
  choices: Choice[];
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
  if (params.model !== undefined && params.model !== model.id) {
    throw new TempoError(
      'unknown_model',
      `The loaded model is "${model.id}", not "${params.model}". Leave model out, or load the other one first.`,
      { param: 'model' },
    );
  }
  const { tokenizer, template } = model;
  const sampling = samplingOf(params, model);
  checkSampling(sampling, tokenizer.vocabSize);
  const prompt = promptTokens(tokenizer, template, params.messages.map(turnOf));
  const stopTokens = new Set(template.stop_token_ids);
  const stop = typeof params.stop === 'string' ? [params.stop] : (params.stop ?? []);
  const choices = Array.from({ length: params.n ?? 1 }, (_, index) => {
    const spec = {
      index,
      requestId: index === 0 ? id : `${id}#${index}`,
      promptTokens: prompt,
      sampling: {
        ...sampling,
        seed: index === 0 ? sampling.seed : hashText(`${sampling.seed}#${index}`) | 0,
      },
      script: model.simulated ? scriptOf(params.simulate, tokenizer) : undefined,
      stopTokens,
      stopStrings: [...template.stop_str, ...stop],
    };
    return new Choice(spec, tokenizer);
  });
  const wanted = params.max_completion_tokens ?? params.max_tokens ?? longest;
  const maxTokens = Math.max(1, Math.min(wanted, longest - prompt.length));
  return { promptTokens: prompt, maxTokens, choices };
}

function samplingOf(params: ChatCompletionParams, { defaults }: LoadedModel): SamplingParams {
  return {
    temperature: params.temperature ?? defaults.temperature,
    topP: params.top_p ?? defaults.topP,
    frequencyPenalty: params.frequency_penalty ?? undefined,
    presencePenalty: params.presence_penalty ?? undefined,
    repetitionPenalty: params.repetition_penalty ?? undefined,
    logitBias: params.logit_bias ?? undefined,
    topLogprobs: params.logprobs ? (params.top_logprobs ?? 0) : undefined,
    seed: (params.seed ?? Math.floor(Math.random() * 2 ** 32)) | 0,
    ignoreEos: params.ignore_eos,
  };
}

function turnOf(message: ChatMessage): Turn {
  const { role } = message;
  return { role, content: message.content ?? '' };
}

function scriptOf(
  reply: SimulatedReply | undefined,
  tokenizer: Tokenizer,
): SimulationScript | undefined {
  if (reply === undefined) return undefined;
  return { tokens: tokenizer.encode(reply.content ?? '') };
}
