import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Shared by the page (`vite build`) and the library that other pages embed (`vite build --mode lib`). */
export default defineConfig(({ mode }) => ({
  base: './', // what is built works under any path
  plugins: [react()],
  worker: { format: 'es' },
  ...(mode === 'lib' ? { publicDir: false } : {}),
  build: {
    target: 'esnext', // WebGPU needs a recent browser anyway
    chunkSizeWarningLimit: 8192, // kB; WebLLM is one chunk of 6 MB, loaded when a real model is asked for
    ...(mode === 'lib'
      ? {
          outDir: 'dist-lib',
          lib: { entry: 'src/client/index.ts', formats: ['es'], fileName: 'tempo' },
        }
      : {}),
  },
}));
