import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Runs a command, its output shown. Throws where it fails. */
export function run(command: string, args: string[], cwd = join(import.meta.dirname, '..')): void {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32', // where npm and npx are scripts
  });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} failed`);
}
