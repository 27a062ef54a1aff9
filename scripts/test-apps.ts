/** `npm run test:apps [-- NAME …]`: installs the packed package into the apps of `test/apps` and `examples`, and runs them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from '@playwright/test';
import { APPS, type Bench } from './apps/apps';
import { Sandbox } from './apps/sandbox';
import { BROWSER_ARGS, findOrInstallBrowser } from './browser';
import { pack } from './pack';
import { closingLine, FAILED, PASSED, sum, type Tally } from './tally';

/** Apps at a time: each installs and builds on a core of its own. */
const AT_ONCE = 2;

const names = process.argv.slice(2);
const unknown = names.find((name) => !Object.hasOwn(APPS, name));
if (unknown !== undefined) {
  console.error(`No app is called ${unknown}. There are: ${Object.keys(APPS).join(', ')}`);
  process.exit(1);
}
const queue = names.length > 0 ? names : Object.keys(APPS);

const scratch = mkdtempSync(join(tmpdir(), 'tempo-packed-'));
const sandboxes = new Set<Sandbox>();
const tallies: Tally[] = [];
const failures: string[] = [];
let browser: Browser | undefined;

async function run(name: string, bench: Omit<Bench, 'sandbox'>): Promise<Tally> {
  const own: Sandbox[] = [];
  const sandbox = (app: string, workspace?: string) => {
    const made = new Sandbox(app, workspace);
    own.push(made);
    sandboxes.add(made);
    return made;
  };
  try {
    await APPS[name]({ ...bench, sandbox });
    return PASSED;
  } catch (error) {
    failures.push(`\n== ${name}\n${error instanceof Error ? error.message : error}`);
    return FAILED;
  } finally {
    for (const made of own) {
      await made.close();
      sandboxes.delete(made);
    }
  }
}

async function runQueue(bench: Omit<Bench, 'sandbox'>): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const start = performance.now();
    const tally = await run(name, bench);
    tallies.push(tally);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${name.padEnd(24)} ${seconds.padStart(6)} s  ${closingLine(tally)}`);
  }
}

async function leaveNothing(): Promise<void> {
  queue.length = 0;
  await browser?.close();
  await Promise.all([...sandboxes].map((sandbox) => sandbox.close()));
  rmSync(scratch, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void leaveNothing().finally(() => process.exit(1)));
}

try {
  const tarball = pack(scratch);
  browser = await chromium.launch({
    executablePath: findOrInstallBrowser(),
    args: BROWSER_ARGS,
    handleSIGINT: false, // it is closed above
    handleSIGTERM: false,
  });
  const bench = { browser, tarball };
  await Promise.all(Array.from({ length: AT_ONCE }, () => runQueue(bench)));
} finally {
  await leaveNothing();
}
const total = sum(tallies);
console.log(`${failures.join('\n')}\n\n${closingLine(total)}`);
process.exit(total.failed === 0 ? 0 : 1);
