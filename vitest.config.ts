import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The guide's tests import the package, as its readers do.
  resolve: {
    alias: [
      { find: /^tempo-llm$/, replacement: join(import.meta.dirname, 'src/client/index.ts') },
      {
        find: /^tempo-llm\/server$/,
        replacement: join(import.meta.dirname, 'src/worker/server.ts'),
      },
    ],
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['test/real/**'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 20_000, // a property test on a slow machine
  },
});
