import type { ConversationTemplate, ImageInput, LoadedModel } from '../step-engine';
import type { MlcChatConfig, TextParts } from './internals';
import { keepTokenizer } from './kept-tokenizer';

/** A pipeline as far as text is concerned; `images` where it takes them, or why it does not. */
export function loadedModel(
  id: string,
  { tokenizer, config }: TextParts,
  images?: ImageInput | string,
): LoadedModel {
  return {
    id,
    tokenizer: keepTokenizer(id, tokenizer, config.vocab_size),
    template: templateOf(config),
    // WebLLM 0.2.86 applies all of these where a request does not say otherwise.
    defaults: {
      temperature: config.temperature ?? 1,
      topP: config.top_p ?? 1,
      frequencyPenalty: config.frequency_penalty ?? 0,
      presencePenalty: config.presence_penalty ?? 0,
      repetitionPenalty: config.repetition_penalty ?? 1,
    },
    simulated: false,
    images: typeof images === 'object' ? images : undefined,
  };
}

/** The configuration's template, with what `conv_config` overrides (as WebLLM's getConversation). */
function templateOf({ conv_template, conv_config }: MlcChatConfig): ConversationTemplate {
  return { ...conv_template, ...conv_config };
}
