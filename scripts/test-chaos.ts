/** `npm run test:chaos [-- SECONDS]`: test/chaos.test.ts for so long, at most and by default five minutes. CHAOS_SEED repeats a run. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** With loading, and the quiet at the end, five minutes in all. */
const MOST_SECONDS = 270;

const [given = String(MOST_SECONDS)] = process.argv.slice(2);
const seconds = Number(given);
if (!(seconds > 0)) {
  console.error(`${given} is no number of seconds. Say for how long: npm run test:chaos -- 60`);
  process.exit(1);
}
const vitest = join('node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/chaos.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, CHAOS_SECONDS: String(Math.min(seconds, MOST_SECONDS)) },
});
process.exit(status ?? 1);
