import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['test/real/**'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 20_000, // a property test on a slow machine
  },
});
