/** The guide's headers are those that `npm run test:apps` serves its pages with. */
import { expect, it } from 'vitest';
import { ISOLATED, STRICT_CSP, strictCspFrom } from '../../scripts/apps/apps';
import { blocksOf, read } from './markdown';

const blocks = blocksOf(read('docs/guide/headers.md'));
const lines = (section: string) =>
  blocks
    .filter((block) => block.section === section)
    .flatMap(({ text }) => text.trim().split('\n'))
    .map((line) => line.trim().replace(/;$/, ''));

it('the guide has the policy that a page runs under', () => {
  const [name, ...directives] = lines('Content-Security-Policy');
  expect(name).toBe('Content-Security-Policy:');
  expect(directives).toEqual(STRICT_CSP);
});

it('the guide has what changes where the package is on another origin', () => {
  const policy = strictCspFrom('https://cdn.example', 'RANDOM');
  const changed = policy.filter((directive) => !STRICT_CSP.includes(directive));
  expect(lines('The package from another origin')).toEqual(changed);
});

it('the guide has the headers of an isolated page', () => {
  const named = Object.entries(ISOLATED).map(([name, value]) => `${name}: ${value}`);
  const said = lines('Cross-origin isolation').map((line) =>
    line.replace(/^[^:]+/, (name) => name.toLowerCase()),
  );
  expect(said).toEqual(named);
});
