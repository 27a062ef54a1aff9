import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // the built page works under any path
  plugins: [react()],
  worker: { format: 'es' },
  build: {
    target: 'esnext', // WebGPU needs a recent browser anyway
    chunkSizeWarningLimit: 8192, // kB; WebLLM is one chunk of 6 MB, loaded when a real model is asked for
  },
});
