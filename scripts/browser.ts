import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

/** Flags for every browser the tests start: quiet, and at home in a container. */
export const BROWSER_ARGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

/** Further flags that give a browser WebGPU without a GPU, on the CPU. */
export const WEBGPU_ARGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** The path of a Chromium or Chrome that runs: CHROME_PATH's, else the system's, else Playwright's own. */
export function findBrowser(): string | undefined {
  const wanted = process.env.CHROME_PATH;
  if (wanted) {
    if (existsSync(wanted)) return wanted;
    throw new Error(`CHROME_PATH names no file: ${wanted}`);
  }
  return [...systemPaths(), chromium.executablePath()].find(runs);
}

/** `findBrowser`, or else installs one. Throws a sentence that says what to install when nothing worked. */
export function findOrInstallBrowser(): string {
  const found = findBrowser();
  if (found) return found;
  for (const [command = '', ...args] of installers()) {
    console.log(`No browser found; trying: ${[command, ...args].join(' ')}`);
    const { status } = spawnSync(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: 5 * 60_000,
      env: { ...process.env, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '5000' },
    });
    const installed = status === 0 ? findBrowser() : undefined;
    if (installed) return installed;
  }
  throw new Error(
    'The browser tests need Chromium or Chrome: install one, or set CHROME_PATH to its executable.',
  );
}

function systemPaths(): string[] {
  const env = process.env;
  if (process.platform === 'darwin') {
    const apps = ['/Applications', join(env.HOME ?? '', 'Applications')];
    return apps.flatMap((folder) => [
      join(folder, 'Google Chrome.app/Contents/MacOS/Google Chrome'),
      join(folder, 'Chromium.app/Contents/MacOS/Chromium'),
    ]);
  }
  if (process.platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA];
    return folders
      .filter((folder) => folder !== undefined)
      .flatMap((folder) => [
        join(folder, 'Google/Chrome/Application/chrome.exe'),
        join(folder, 'Chromium/Application/chrome.exe'),
      ]);
  }
  const folders = ['/usr/bin', '/usr/local/bin', '/snap/bin', ...pathFolders()];
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/** On Linux a browser may be there without the libraries it needs; elsewhere asking would open a window. */
function runs(path: string): boolean {
  if (!existsSync(path)) return false;
  if (process.platform !== 'linux') return true;
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/** Commands that may install a browser, in the order to try them. */
function installers(): string[][] {
  const playwright = fileURLToPath(import.meta.resolve('@playwright/test/cli'));
  const download = [process.execPath, playwright, 'install', 'chromium', '--no-shell'];
  if (process.platform === 'darwin') return [download, ['brew', 'install', '--cask', 'chromium']];
  if (process.platform !== 'linux') return [download];
  const shell = process.getuid?.() === 0 ? ['sh', '-c'] : ['sudo', '-n', 'sh', '-c'];
  const packages = Object.entries(LINUX_PACKAGES).filter(([manager]) => onPath(manager));
  return [download, ...packages.map(([, line]) => [...shell, line])];
}

const LINUX_PACKAGES = {
  'apt-get':
    'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium',
  dnf: 'dnf install -y chromium',
  apk: 'apk add --no-cache chromium',
};

function onPath(command: string): boolean {
  return pathFolders().some((folder) => existsSync(join(folder, command)));
}

function pathFolders(): string[] {
  return (process.env.PATH ?? '').split(delimiter);
}
