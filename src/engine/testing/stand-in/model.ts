import type { LibraryMetadata, MlcConversationTemplate } from '../../webllm/internals';

export const STAND_IN_MODEL = 'stand-in';

/** An embedding model: 4 inputs a forward of at most 64 tokens each. */
export const STAND_IN_EMBEDDER = 'stand-in-embedder';

export const VOCABULARY = 264;

export const SPECIAL = ['<|im_start|>', '<|im_end|>', '<|endoftext|>'];

export const TEMPLATE: MlcConversationTemplate = {
  system_template: '<|im_start|>system\n{system_message}<|im_end|>\n',
  system_message: 'You are a stand-in.',
  roles: { user: '<|im_start|>user', assistant: '<|im_start|>assistant', tool: '<|im_start|>tool' },
  role_templates: {
    user: '{user_message}',
    assistant: '{assistant_message}',
    tool: '{tool_message}',
  },
  seps: ['<|im_end|>\n'],
  role_content_sep: '\n',
  role_empty_sep: '\n',
  stop_str: ['<|im_end|>'],
  stop_token_ids: [257, 258],
};

export const METADATA: LibraryMetadata = {
  model_type: 'stand-in',
  quantization: 'q0f32',
  context_window_size: 1024,
  sliding_window_size: -1,
  prefill_chunk_size: 512,
  kv_state_kind: 'kv_cache',
  max_batch_size: 80,
  kv_cache: { num_hidden_layers: 2, num_key_value_heads: 1, head_dim: 4 },
  params: [{ name: 'embedding.weight', shape: ['vocab_size', 1], dtype: 'float32' }],
};

export const EMBEDDER = { maxBatchSize: 4, config: { context_window_size: 64 } };

export const BERT_SPECIAL = ['[CLS]', '[SEP]'];

/** One of the prebuilt libraries' kernels, shortened. */
export const MERGE_STATE_KERNEL = `
@compute @workgroup_size(16, 12, 1)
fn merge_state_inplace_kernel(
  @builtin(workgroup_id) blockIdx : vec3<u32>
) {
  s_val[0i] = S[((v__1 * podArgs.H) + i32(threadIdx.y))];
  V[v__2 + 0] = vec4<f16>(v_vec[0i + 0])[0];
  S[((v__1 * podArgs.H) + i32(threadIdx.y))] = (log2((s_val[0i] + s_other_val[0i])) + s_max[0i]);
}
`;
