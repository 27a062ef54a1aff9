import type { ConversationTemplate, ImageInput, LoadedModel } from '../step-engine';
import type { TokenEncoding } from '../text';
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
    tokenizer: keepTokenizer(id, tokenizer, config.vocab_size, tokenEncoding(config)),
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

/** How the tokenizer's file writes tokens; older configurations say it under another name. */
export function tokenEncoding(config: MlcChatConfig): TokenEncoding {
  const said = config.tokenizer_info?.token_postproc_method ?? config.token_table_postproc_method;
  return said === 'byte_level' || said === 'byte_fallback' ? said : 'raw';
}

/** The configuration's template, with what `conv_config` overrides (as WebLLM's getConversation). */
function templateOf({ conv_template, conv_config }: MlcChatConfig): ConversationTemplate {
  return { ...conv_template, ...conv_config };
}
