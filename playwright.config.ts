import { defineConfig, devices } from '@playwright/test';
import { BROWSER_ARGS, findBrowser, WEBGPU_ARGS } from './scripts/browser';

const { CI, TEMPO_URL } = process.env;
// Asked for once; the workers, which read this file again, inherit the answer.
process.env.CHROME_PATH ??= findBrowser() ?? '';
const executablePath = process.env.CHROME_PATH || undefined;

const chromium = {
  ...devices['Desktop Chrome'],
  launchOptions: { executablePath, args: BROWSER_ARGS },
};
const desktop = { ...chromium, viewport: { width: 1440, height: 900 } };

/**
 * Every spec runs at desktop size. Tests tagged `@phone` run at phone size too, and those tagged
 * `@webgpu` run only where the browser has WebGPU (on the CPU).
 */
export default defineConfig({
  testDir: 'e2e',
  forbidOnly: Boolean(CI),
  fullyParallel: true,
  globalTimeout: 14 * 60_000,
  expect: { timeout: 10_000 },
  use: {
    baseURL: TEMPO_URL ?? 'http://localhost:4173',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'desktop', use: desktop, grepInvert: /@webgpu/ },
    {
      name: 'phone',
      use: { ...chromium, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
      grep: /@phone/,
    },
    {
      name: 'webgpu',
      use: {
        ...desktop,
        launchOptions: { executablePath, args: [...BROWSER_ARGS, ...WEBGPU_ARGS] },
      },
      grep: /@webgpu/,
    },
  ],
  // `npm test` builds and serves the page itself and says where; `npx playwright test` alone needs this.
  webServer: TEMPO_URL
    ? undefined
    : { command: 'npm start', url: 'http://localhost:4173', reuseExistingServer: true },
});
