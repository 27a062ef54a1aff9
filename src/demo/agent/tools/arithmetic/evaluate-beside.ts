import { type Remote, wrap } from 'comlink';
import { evaluate } from './evaluate';
import type { Sums } from './worker';

/** The evaluator ends by itself after 50 ms; this is for what it overlooks, and long enough for a busy machine. */
const WITHIN_MS = 1000;

/** A worker that has shown that it runs. */
interface Beside {
  worker: Worker;
  sums: Remote<Sums>;
}

let started: Promise<Beside | undefined> | undefined;

/** What an expression comes to, worked out in a worker. Throws an Error that says what is wrong with it. */
export async function evaluateBeside(expression: string): Promise<number | string> {
  started ??= start();
  const beside = await started;
  if (beside === undefined) return evaluate(expression); // in Node, or where workers are forbidden
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      beside.worker.terminate();
      started = undefined;
      reject(new Error('It takes too long.'));
    }, WITHIN_MS);
  });
  try {
    return await Promise.race([beside.sums.evaluate(expression), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function start(): Promise<Beside | undefined> {
  if (typeof Worker === 'undefined') return undefined;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    type: 'module',
    name: 'calculator',
  });
  const sums = wrap<Sums>(worker);
  const failed = new Promise<undefined>((resolve) => {
    worker.addEventListener('error', () => resolve(undefined), { once: true });
  });
  const ran = sums.evaluate('0').then(() => ({ worker, sums }));
  return Promise.race([ran, failed]);
}
