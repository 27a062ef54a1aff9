import type { LoadedModel } from '../engine/step-engine';
import { TempoError } from '../scheduler';
import { Choice } from './choice';
import { checkModel, checkTokens, type PreparedSubmission, samplingOf, seedOf } from './prepare';
import { beginning } from './sparing';
import type { TokenLogprobs } from './token-logprobs';
import type { ReadTextParams } from './validate';

/**
 * Turns a text completion request into tokens and choices; prompt and output together may be
 * `longest` tokens. `Logprobs` tells log probabilities where they are asked for. Throws typed errors that name the field.
 */
export function prepareText(
  id: string,
  request: ReadTextParams,
  model: LoadedModel,
  longest: number,
  Logprobs?: typeof TokenLogprobs,
): PreparedSubmission {
  checkModel(request.model, model);
  const { tokenizer, template } = model;
  const { prompt } = request;
  const promptTokens = tokensOf(prompt, model);
  if (promptTokens.length >= longest) {
    throw new TempoError(
      'context_length_exceeded',
      `The prompt has ${promptTokens.length} tokens; this engine takes prompts of at most ${longest - 1}. Shorten it.`,
      { param: 'prompt' },
    );
  }
  const sampling = samplingOf(request, request.logprobs, model);
  const content = model.simulated ? request.simulate?.content : undefined;
  const said = content === undefined ? undefined : beginning(content, longest);
  const script = said === undefined ? undefined : { tokens: tokenizer.encode(said) };
  const echo = typeof prompt === 'string' ? prompt : tokenizer.decode(prompt);
  const choices = Array.from({ length: request.n ?? 1 }, (_, index) => {
    const spec = {
      index,
      requestId: index === 0 ? id : `${id}#${index}`,
      promptTokens,
      sampling: { ...sampling, seed: seedOf(sampling.seed, index) },
      script,
      stopTokens: new Set(template.stop_token_ids),
      endStrings: template.stop_str,
      stopStrings: request.stop,
      logprobs: Logprobs && new Logprobs(tokenizer, model.simulated),
      opening: request.echo ? echo : '',
      tellsTokens: request.return_token_ids,
    };
    return new Choice(spec, tokenizer);
  });
  const maxTokens = Math.min(request.max_tokens ?? longest, longest - promptTokens.length);
  return { promptTokens, maxTokens, choices, grammar: undefined };
}

/**
 * What is fed: a text's own tokens and nothing else, not even the template's `system_prefix_token_ids`
 * (WebLLM's `getInputData` does the same), or the ids that the caller has.
 */
function tokensOf(prompt: string | readonly number[], { tokenizer }: LoadedModel): Int32Array {
  if (typeof prompt === 'string') return tokenizer.encode(prompt);
  checkTokens(prompt, tokenizer, 'prompt');
  return Int32Array.from(prompt);
}
