import { describe, expect, it } from 'vitest';
import type { LibraryMetadata } from './internals';
import { defaultBudget, kvBytesPerToken, kvSize, weightBytes } from './kv-memory';

/** Qwen2-0.5B, as its library of v0_2_48 describes it. */
const QWEN: LibraryMetadata = {
  model_type: 'qwen2',
  quantization: 'q4f16_1',
  context_window_size: 4096,
  sliding_window_size: -1,
  prefill_chunk_size: 1024,
  kv_cache: { num_hidden_layers: 24, num_key_value_heads: 2, head_dim: 64 },
  params: [
    { name: 'embed.q_weight', shape: ['vocab_size', 112], dtype: 'uint32' },
    { name: 'norm.weight', shape: [896], dtype: 'float16' },
  ],
};

const LIMITS = {
  sequences: 32,
  contextWindow: 4096,
  maxBufferSize: 2 ** 30,
  maxStorageBufferBindingSize: 2 ** 30,
};

describe('KV memory', () => {
  it('of one token is keys and values of every layer', () => {
    expect(kvBytesPerToken(QWEN)).toBe(2 * 24 * 2 * 64 * 2);
    expect(kvBytesPerToken({ ...QWEN, quantization: 'q4f32_1' })).toBe(2 * 24 * 2 * 64 * 4);
  });

  it('keeps to the budget, in whole pages', () => {
    const size = kvSize(QWEN, 0, { ...LIMITS, budgetBytes: 100_000_000 });
    expect(size.tokens % 16).toBe(0);
    expect(size.bytes).toBeLessThanOrEqual(100_000_000);
    expect(size.bytes).toBeGreaterThan(99_000_000);
  });

  it("keeps every layer's buffer within the device's limits", () => {
    const size = kvSize(QWEN, 0, {
      ...LIMITS,
      budgetBytes: 2 ** 40,
      maxStorageBufferBindingSize: 2 ** 20,
    });
    // The runtime adds a page.
    expect((size.tokens + 16) * 2 * 2 * 64 * 2).toBeLessThanOrEqual(2 ** 20);
  });

  it('is never more than the sequences can fill', () => {
    const size = kvSize(QWEN, 0, { ...LIMITS, sequences: 2, budgetBytes: 2 ** 40 });
    expect(size.tokens).toBe(2 * 4096);
  });

  it('goes by the weights where the user says nothing', () => {
    expect(weightBytes(QWEN, 1000)).toBe(1000 * 112 * 4 + 896 * 2);
    expect(defaultBudget(100 * 2 ** 20)).toBe(256 * 2 ** 20);
    expect(defaultBudget(2 ** 30)).toBe(512 * 2 ** 20);
    expect(defaultBudget(16 * 2 ** 30)).toBe(2 * 2 ** 30);
  });
});
