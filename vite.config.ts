import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The page. The library that other pages embed is built by scripts/library.ts. */
export default defineConfig({
  base: './', // what is built works under any path
  plugins: [react()],
  worker: { format: 'es' },
  optimizeDeps: { entries: ['index.html'] }, // not the pages of test/apps
  build: {
    target: 'esnext', // WebGPU needs a recent browser anyway
    chunkSizeWarningLimit: 8192, // kB; WebLLM is one chunk of 6 MB, loaded when a real model is asked for
  },
});
