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

it('a matcher that aborts costs no stack, however often: others go on', async () => {
  const { library, recover } = await loadXGrammar();
  const { GrammarCompiler, GrammarMatcher, TokenizerInfo } = library;
  const tokenizer = await TokenizerInfo.createTokenizerInfo(
    ['a', 'b', '<end>'],
    'raw',
    false,
    3,
    [2],
  );
  const compiler = await GrammarCompiler.createGrammarCompiler(tokenizer, false);
  const grammar = await compiler.compileGrammar(await library.Grammar.fromEBNF('root ::= "ab"'));
  for (let i = 0; i < 500; i++) {
    const bad = await GrammarMatcher.createGrammarMatcher(grammar);
    let said = '';
    try {
      bad.rollBack(5); // nothing was accepted: xgrammar aborts
    } catch (thrown) {
      said = recover(thrown).message;
    }
    expect(said).toMatch(/rollback/i);
    const good = await GrammarMatcher.createGrammarMatcher(grammar);
    expect([0, 1, 2].map((token) => good.acceptToken(token))).toEqual([true, true, true]);
    good.dispose();
  }
});
