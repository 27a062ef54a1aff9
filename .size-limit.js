/** What the package's entries weigh, gzipped: each with all that it imports at once. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The built file and every file that it imports statically. */
function closure(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, address] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) {
    closure(join(dirname(file), address), found);
  }
  return found;
}

const entry = (name, limit) => ({
  name,
  path: [...closure(join('dist-lib', `${name}.js`))],
  limit,
  gzip: true,
});

export default [
  entry('index', '7.02 kB'), // the names of all policies
  entry('ai-sdk', '15 kB'),
  entry('prompt-api', '14.5 kB'),
  entry('dashboard', '51 kB'),
  entry('react', '12 kB'),
  entry('service-worker', '4 kB'),
  entry('webllm-api', '24 kB'),
  // All policies are in the worker, so that a switch takes effect with the next step.
  entry('worker', '60 kB'),
  entry('page-worker', '65 kB'),
  entry('simulated', '48 kB'),
  entry('grammars', '48 kB'),
];
