import { defineConfig } from 'vite';

/** All that is needed: whoever imports WebLLM, packages included, gets Tempo. */
export default defineConfig({
  resolve: { alias: { '@mlc-ai/web-llm': 'tempo-llm/webllm' } },
  worker: { format: 'es' },
  build: { target: 'esnext', rolldownOptions: { input: ['index.html', 'crash.html'] } },
});
