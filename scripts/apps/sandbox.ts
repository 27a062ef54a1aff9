import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServedSite, type Site, serveFolder } from '../static-server';

const REPOSITORY = join(import.meta.dirname, '../..');

/** Longest that a command may take, and a server to be there, ms. */
const COMMAND_LIMIT_MS = 4 * 60_000;
const START_LIMIT_MS = 60_000;

/** A developer's own, without what this run has set for itself. */
const { NODE_ENV: _, npm_config_local_prefix: __, ...inherited } = process.env;
const ENVIRONMENT = { ...inherited, NO_COLOR: '1', NEXT_TELEMETRY_DISABLED: '1' };

/** A copy of an app in a folder of its own, and all that runs there. `close` leaves nothing of it. */
export class Sandbox {
  readonly #root = mkdtempSync(join(tmpdir(), 'tempo-app-'));
  readonly #app: string;
  readonly #running = new Set<ChildProcess>();
  readonly #servers: ServedSite[] = [];

  /** Copies a folder of the repository: to `workspace` of a monorepo, where one is given. */
  constructor(app: string, workspace = '') {
    this.#app = join(this.#root, workspace);
    const filter = (path: string) => !/[\\/](node_modules|dist|\.next)$/.test(path);
    cpSync(join(REPOSITORY, app), this.#app, { recursive: true, filter });
    if (workspace === '') return;
    const monorepo = { private: true, workspaces: [workspace] };
    writeFileSync(join(this.#root, 'package.json'), JSON.stringify(monorepo));
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#app, file), text);
  }

  edit(file: string, change: (text: string) => string): void {
    this.write(file, change(readFileSync(join(this.#app, file), 'utf8')));
  }

  /** Runs npm to its end, and returns what it printed, piece by piece. Throws that where it fails. */
  async npm(...args: string[]): Promise<string[]> {
    const { child, printed } = this.#spawn(args);
    const timer = setTimeout(() => end(child), COMMAND_LIMIT_MS);
    const code = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    clearTimeout(timer);
    if (code === 0) return printed;
    throw new Error(`npm ${args.join(' ')} failed\n${printed.join('')}`);
  }

  /** Starts a server by an npm script that takes `--port`; returns its address once it answers. */
  async start(script: string): Promise<string> {
    const port = await freePort();
    const url = `http://localhost:${port}/`;
    const { child, printed } = this.#spawn(['run', script, '--', '--port', String(port)]);
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await answers(url))) {
      if (!this.#running.has(child) || Date.now() > deadline) {
        throw new Error(`npm run ${script} did not serve ${url}\n${printed.join('')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return url;
  }

  /** Serves a folder of the app; returns its address. */
  async serve(folder: string, site: Omit<Site, 'folder'> = {}): Promise<string> {
    const served = await serveFolder({ folder: join(this.#app, folder), ...site });
    this.#servers.push(served);
    return served.url;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
    await Promise.all([...this.#running].map(end));
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }

  #spawn(args: string[]): { child: ChildProcess; printed: string[] } {
    const child = spawn('npm', args, {
      cwd: this.#app,
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, to be ended as a whole
    });
    this.#running.add(child);
    child.on('close', () => this.#running.delete(child));
    const printed: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (piece) => printed.push(String(piece)));
    }
    return { child, printed };
  }
}

/** Ends a process and all that it has started. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const closed = new Promise((resolve) => child.on('close', resolve));
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {} // it has ended just now
  await closed;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
