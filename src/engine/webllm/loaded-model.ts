import type { ConversationTemplate, LoadedModel, Tokenizer } from '../step-engine';
import type { MlcChatConfig, MlcTokenizer, TextParts } from './internals';

/** A pipeline as far as text is concerned. */
export function loadedModel(id: string, { tokenizer, config }: TextParts): LoadedModel {
  return {
    id,
    tokenizer: new WebLlmTokenizer(tokenizer, config.vocab_size),
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
  };
}

/** The configuration's template, with what `conv_config` overrides (as WebLLM's getConversation). */
function templateOf({ conv_template, conv_config }: MlcChatConfig): ConversationTemplate {
  return { ...conv_template, ...conv_config };
}

/** WebLLM's tokenizer, whose memory WebLLM frees. */
class WebLlmTokenizer implements Tokenizer {
  /** Length of a row of logits; ids beyond the tokenizer's own are never text. */
  readonly vocabSize: number;
  readonly #tokenizer: MlcTokenizer;

  constructor(tokenizer: MlcTokenizer, vocabSize: number) {
    this.#tokenizer = tokenizer;
    this.vocabSize = vocabSize;
  }

  encode(text: string): Int32Array {
    // The wasm tokenizer does not take the empty text.
    return text === '' ? new Int32Array(0) : Int32Array.from(this.#tokenizer.encode(text));
  }

  decode(ids: ArrayLike<number>): string {
    return ids.length === 0 ? '' : this.#tokenizer.decode(Int32Array.from(ids));
  }
}
