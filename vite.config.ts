import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * What the built page may load and run: its own files. Nothing that a model writes can send anything
 * anywhere. Models are fetched by the worker, to which a page's policy does not apply.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self'",
  "img-src 'self' data:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];

/** Vite's development server has scripts of its own in the page, so only what is built has the policy. */
const contentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY.join('; ') },
      injectTo: 'head-prepend',
    },
  ],
};

/** The page. The library that other pages embed is built by scripts/library.ts. */
export default defineConfig({
  base: './', // what is built works under any path
  plugins: [react(), contentSecurityPolicy],
  worker: { format: 'es' },
  optimizeDeps: { entries: ['index.html'] }, // not the pages of test/apps
  build: {
    target: 'esnext', // WebGPU needs a recent browser anyway
    chunkSizeWarningLimit: 8192, // kB; WebLLM is one chunk of 6 MB, loaded when a real model is asked for
  },
});
