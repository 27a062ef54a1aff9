import { expect, it } from 'vitest';
import { loadXGrammar } from './xgrammar';

it('xgrammar is loaded once, and leaves the global scope as it was', async () => {
  const { log, error } = console;
  const { instantiate } = WebAssembly;
  const loaded = await loadXGrammar();
  expect(await loadXGrammar()).toBe(loaded);
  expect(console.log).toBe(log);
  expect(console.error).toBe(error);
  expect(WebAssembly.instantiate).toBe(instantiate);
  expect('location' in globalThis).toBe(false);
});

it('what xgrammar says of a failure is in the error, and nowhere else', async () => {
  const { attempt, library } = await loadXGrammar();
  const said: unknown[] = [];
  const { error } = console;
  console.error = (...words: unknown[]) => said.push(words);
  try {
    await expect(attempt(() => library.Grammar.fromEBNF('root ::= "a'))).rejects.toThrowError(
      'EBNF lexer error at line 1, column 12: Expect " in string literal',
    );
  } finally {
    console.error = error;
  }
  expect(said).toEqual([]);
});

it('calls that may fail run one after another, each with its own words', async () => {
  const { attempt, library } = await loadXGrammar();
  const names = ['one', 'two', 'three'];
  const failures = await Promise.allSettled(
    names.map((name) => attempt(() => library.Grammar.fromEBNF(`root ::= ${name}`))),
  );
  expect(
    failures.map((failure) => failure.status === 'rejected' && failure.reason.message),
  ).toEqual(names.map((name) => expect.stringContaining(`Rule "${name}" is not defined`)));
});
