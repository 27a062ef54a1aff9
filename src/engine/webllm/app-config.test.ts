import * as webllm from '@mlc-ai/web-llm';
import { expect, it } from 'vitest';
import type { AppConfig, ChatOptions } from './app-config';

it("takes what WebLLM's own types describe, and gives WebLLM what it takes", () => {
  // That these compile is the test; tsc runs it.
  const theirs: webllm.AppConfig = webllm.prebuiltAppConfig;
  const ours: AppConfig = theirs;
  const options = (given: webllm.ChatOptions): ChatOptions => given;
  expect(ours.model_list.length).toBeGreaterThan(100);
  expect(options({ context_window_size: 1024, conv_config: { seps: ['\n'] } })).toBeTruthy();
});

it('knows every field that an entry of WebLLM 0.2.86 has', () => {
  const known = [
    ...['model', 'model_id', 'model_lib', 'overrides', 'vram_required_MB', 'integrity'],
    ...['low_resource_required', 'buffer_size_required_bytes', 'required_features'],
    ...['model_type', 'model_manifest'],
  ];
  const fields = webllm.prebuiltAppConfig.model_list.flatMap(Object.keys);
  expect([...new Set(fields)].filter((name) => !known.includes(name))).toEqual([]);
});
