import type { LibraryMetadata } from './library';
import type { Vocabulary } from './tokenizer-file';

/** The mlc-chat-config.json of a library: MLC's ChatML template, as in its Qwen2 models, for any model. */
export function chatConfig(metadata: LibraryMetadata, vocabulary: Vocabulary): string {
  const config = {
    version: '0.1.0',
    model_type: metadata.model_type,
    quantization: metadata.quantization,
    vocab_size: vocabulary.size,
    context_window_size: metadata.context_window_size,
    sliding_window_size: metadata.sliding_window_size,
    attention_sink_size: metadata.attention_sink_size,
    prefill_chunk_size: metadata.prefill_chunk_size,
    tensor_parallel_shards: 1,
    temperature: 0.7,
    presence_penalty: 0,
    frequency_penalty: 0,
    repetition_penalty: 1.1,
    top_p: 0.8,
    tokenizer_files: ['tokenizer.json'],
    tokenizer_info: {
      token_postproc_method: 'byte_level',
      prepend_space_in_encode: false,
      strip_space_in_decode: false,
    },
    conv_template: {
      name: 'chatml',
      system_template: '<|im_start|>system\n{system_message}<|im_end|>\n',
      system_message:
        'A conversation between a user and an LLM-based AI assistant. ' +
        'The assistant gives helpful and honest answers.',
      system_prefix_token_ids: null,
      add_role_after_system_message: true,
      roles: { user: '<|im_start|>user', assistant: '<|im_start|>assistant' },
      role_templates: {
        user: '{user_message}',
        assistant: '{assistant_message}',
        tool: '{tool_message}',
      },
      messages: [],
      seps: ['<|im_end|>\n'],
      role_content_sep: '\n',
      role_empty_sep: '\n',
      stop_str: ['<|im_end|>'],
      stop_token_ids: [vocabulary.endOfText, vocabulary.messageEnd],
      function_string: '',
      use_function_calling: false,
    },
    pad_token_id: vocabulary.endOfText,
    bos_token_id: vocabulary.endOfText,
    eos_token_id: [vocabulary.messageEnd, vocabulary.endOfText],
  };
  return JSON.stringify(config, null, 2);
}
