/** `npm run bench -- NAME …`: runs the benchmark of that name, a file of this folder. */
import type { run } from './lab';

const BENCHES: Record<string, () => Promise<{ run: typeof run }>> = {
  scheduler: () => import('./scheduler'),
  ablate: () => import('./ablate'),
  gate: () => import('./gate'),
  lab: () => import('./lab'),
  matrix: () => import('./lab-matrix'),
  report: () => import('./report'),
  webllm: () => import('./webllm'),
  schemas: () => import('./schemas'),
};

const [bench, ...args] = process.argv.slice(2);
const load = BENCHES[bench ?? ''];
if (load === undefined) {
  console.error(`Usage: npm run bench -- ${Object.keys(BENCHES).join('|')} …`);
  process.exitCode = 1;
} else {
  const { run } = await load();
  await run(args);
}
