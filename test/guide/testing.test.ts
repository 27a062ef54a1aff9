/** The guide's tests are those of answer.test.ts, which run here. */
import { expect, it } from 'vitest';
import { blocksOf, read } from './markdown';

const blocks = blocksOf(read('docs/guide/testing.md'));

it('the guide on testing has the tests that run', () => {
  const tests = blocks.filter(({ language, file }) => language === 'ts' && file === undefined);
  expect(tests.map(({ text }) => text).join('\n')).toBe(read('test/guide/answer.test.ts'));
});

it('the guide on testing has the function that they test', () => {
  const app = blocks.find(({ file }) => file === 'answer.ts');
  expect(app?.text).toBe(read('test/guide/answer.ts'));
});

it('the guide on testing chooses the engine as the pages do that are run', () => {
  const [choice] = blocks.filter(({ section }) => section === 'In a browser');
  expect(read('test/apps/vite/main.js')).toContain(choice.text);
});
