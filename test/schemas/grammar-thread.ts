/** Grammar workers as Node has them: threads that run what the package's worker does. */
import { join } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { GrammarPort } from '../../src/engine/sampling/remote/messages';

export interface GrammarThread {
  /** The end that the engine's thread has. */
  readonly port: GrammarPort & MessagePort;
  readonly worker: Worker;
}

const PROGRAM = `
  import { workerData } from 'node:worker_threads';
  import { serveGrammars } from './src/engine/sampling/remote/grammar-host';
  serveGrammars(workerData);
`;

let code: Promise<string> | undefined;

/** A thread has no loader for TypeScript. */
async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    write: false,
  });
  return outputFiles[0].text;
}

/** Starts one. It ends with its port; the process does not wait for it. */
export async function startThread(): Promise<GrammarThread> {
  code ??= bundled();
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(await code, {
    eval: true,
    workerData: port2,
    transferList: [port2],
  });
  worker.unref();
  port1.unref();
  return { port: portOf(port1), worker };
}

/** A port of Node's is one of the web's, in all that is used of it. */
export function portOf(port: MessagePort): GrammarPort & MessagePort {
  return port as unknown as GrammarPort & MessagePort;
}
