/** `npm test`: every check and every test, a failing stage hiding no later one, and one closing line. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOrInstallBrowser } from './browser';
import { buildPage, servePage } from './page';
import {
  closingLine,
  FAILED,
  judged,
  PASSED,
  playwrightTally,
  sum,
  type Tally,
  vitestTally,
} from './tally';

const STAGE_LIMIT_MS = 12 * 60_000;
const scratch = mkdtempSync(join(tmpdir(), 'tempo-test-'));
const page = join(scratch, 'page');
const artifacts = join(scratch, 'browser');

/** Runs a tool's own JavaScript entry, its output shown, and resolves to its exit code (null: killed). */
function runTool(entry: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [join('node_modules', entry), ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
      timeout: STAGE_LIMIT_MS,
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
}

async function check(entry: string, ...args: string[]): Promise<Tally> {
  return (await runTool(entry, args)) === 0 ? PASSED : FAILED;
}

function report<R>(file: string, tally: (report: R) => Tally, exitCode: number | null): Tally {
  if (!existsSync(file)) return FAILED;
  return judged(tally(JSON.parse(readFileSync(file, 'utf8'))), exitCode);
}

const stages: Record<string, () => Promise<Tally>> = {
  'format and lint': () => check('@biomejs/biome/bin/biome', 'check', '--error-on-warnings'),
  types: () => check('typescript/bin/tsc'),
  'dead code': () => check('knip/bin/knip.js'),
  reference: () => check('typedoc/bin/typedoc', '--emit', 'none'),
  package: () => check('tsx/dist/cli.mjs', 'scripts/check-package.ts'),
  'unit and property tests': async () => {
    const file = join(scratch, 'vitest.json');
    const exitCode = await runTool('vitest/vitest.mjs', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ]);
    return report(file, vitestTally, exitCode);
  },
  gate: () => check('tsx/dist/cli.mjs', 'bench/main.ts', 'gate'),
  build: async () => {
    await buildPage(page);
    return PASSED;
  },
  'browser tests': async () => {
    if (!existsSync(join(page, 'index.html'))) throw new Error('not run: the page did not build');
    const file = join(scratch, 'playwright.json');
    const browser = findOrInstallBrowser();
    const served = await servePage(page, 4173);
    try {
      const exitCode = await runTool(
        '@playwright/test/cli.js',
        ['test', '--reporter=list,json', `--output=${artifacts}`],
        { CHROME_PATH: browser, TEMPO_URL: served.url, PLAYWRIGHT_JSON_OUTPUT_FILE: file },
      );
      const tally = report(file, playwrightTally, exitCode);
      if (tally.failed === 0) rmSync(artifacts, { recursive: true, force: true });
      return tally;
    } finally {
      await served.close();
    }
  },
};

const tallies: Tally[] = [];
const summary: string[] = [];
for (const [name, stage] of Object.entries(stages)) {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const tally = await stage().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return FAILED;
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  tallies.push(tally);
  summary.push(`${name.padEnd(24)} ${seconds.padStart(6)} s  ${closingLine(tally)}`);
}

const total = sum(tallies);
if (existsSync(artifacts)) summary.push(`traces and screenshots of failures: ${artifacts}`);
else rmSync(scratch, { recursive: true });
console.log(`\n${summary.join('\n')}\n\n${closingLine(total)}`);
process.exit(total.failed === 0 ? 0 : 1);
