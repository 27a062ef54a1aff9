import { beforeAll, describe, expect, it } from 'vitest';
import type { GrammarSpec } from '../../scheduler';
import { SMALL_VOCABULARY, STOP, tokensOf, wordsOf } from '../testing/small-vocabulary';
import { afterReasoning } from './after-reasoning';
import { type GrammarMatcher, Grammars } from './grammars';
import { applyBitmask } from './logits';

let grammars: Grammars;
beforeAll(async () => {
  grammars = await Grammars.create(SMALL_VOCABULARY);
});

const PERSON: GrammarSpec = {
  type: 'json_schema',
  schema: JSON.stringify({
    type: 'object',
    properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0, maximum: 150 } },
    required: ['name', 'age'],
    additionalProperties: false,
  }),
};

/** Token texts that may come next. */
async function allowed(matcher: GrammarMatcher): Promise<string[]> {
  const mask = matcher.nextBitmask();
  const all = Array.from({ length: SMALL_VOCABULARY.vocabSize }, (_, i) => i);
  return all.filter((i) => (mask[i >> 5] >>> (i & 31)) & 1).map((i) => wordsOf([i]));
}

/** Whether the grammar takes the text and an end. */
async function accepts(spec: GrammarSpec, text: string): Promise<boolean> {
  const matcher = await grammars.matcher(spec);
  return [...tokensOf(text), STOP].every((token) => matcher.accept(token));
}

describe('a grammar', () => {
  it('lets through what follows a JSON schema and nothing else', async () => {
    expect(await accepts(PERSON, '{"name": "Ada", "age": 36}')).toBe(true);
    expect(await accepts(PERSON, '{"name": "Ada", "age": 151}')).toBe(false);
    expect(await accepts(PERSON, '{"name": "Ada"}')).toBe(false);
    expect(await accepts(PERSON, '{"name": "Ada", "age": 36, "x": 1}')).toBe(false);
    expect(await accepts(PERSON, '{"name": "Žofie 😀", "age": 3}')).toBe(true);
  });

  it('lets any JSON through where no schema is given', async () => {
    expect(await accepts({ type: 'json' }, '{"a": [1, 2.5e+30, null, {"b": "\\n"}]}')).toBe(true);
    expect(await accepts({ type: 'json' }, '{"a": }')).toBe(false);
  });

  it('follows rules in EBNF', async () => {
    const yesOrNo: GrammarSpec = { type: 'ebnf', grammar: 'root ::= "yes" | "no" [!]*' };
    expect(await accepts(yesOrNo, 'yes')).toBe(true);
    expect(await accepts(yesOrNo, 'no!!')).toBe(true);
    expect(await accepts(yesOrNo, 'maybe')).toBe(false);
  });

  it('constrains only between the tags of a structural tag', async () => {
    const tag: GrammarSpec = {
      type: 'structural_tag',
      tag: JSON.stringify({
        type: 'structural_tag',
        format: {
          type: 'triggered_tags',
          triggers: ['<call>'],
          tags: [
            {
              type: 'tag',
              begin: '<call>',
              content: { type: 'json_schema', json_schema: { type: 'integer' } },
              end: '</call>',
            },
          ],
        },
      }),
    };
    expect(await accepts(tag, 'just words')).toBe(true);
    expect(await accepts(tag, 'words <call>42</call> words')).toBe(true);
    expect(await accepts(tag, 'words <call>forty-two</call>')).toBe(false);
    expect(await accepts(tag, 'words <call>42')).toBe(false);
  });

  it.each<[RegExp, string, string]>([
    [/^(yes|no)!?$/, 'yes!', 'maybe'],
    [/\d{3}-\d{4}/, '555-0199', '555-019'],
    [/^"[^"\n]*" \\ \/$/, '"quoted" \\ /', 'quoted'],
    [/[\w.]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z]+)*/, 'ada.l@sea-1.org', 'ada@'],
    [/a.c|\t\n/, 'aéc', 'a\nc'],
    [/a.c|\t\n/, '\t\n', '\\t\\n'],
  ])('follows the regular expression %s', async (expression, good, bad) => {
    expect(expression.test(good)).toBe(true);
    const spec: GrammarSpec = { type: 'regex', pattern: expression.source };
    expect(await accepts(spec, good)).toBe(true);
    expect(await accepts(spec, bad)).toBe(false);
  });

  it.each(['(?=ahead)', '(a)\\1', '(?<=a)b', '('])(
    'is refused, with its path, for a regular expression that cannot be followed: %s',
    async (pattern) => {
      await expect(
        grammars.check({ type: 'regex', pattern, path: 'response_format.pattern' }),
      ).rejects.toMatchObject({ code: 'invalid_schema', param: 'response_format.pattern' });
    },
  );

  it.each<[GrammarSpec, string]>([
    [PERSON, '{"name": "Ada", "age": 36}'],
    [{ type: 'json' }, '[{"a": 1}]'],
    [{ type: 'ebnf', grammar: 'root ::= "yes" | "no"' }, 'yes'],
  ])('waits for the end of the reasoning where the prompt began it: %j', async (spec, text) => {
    const held = afterReasoning(spec, { open: true });
    expect(await accepts(held, `2 < 3, so {"yes"}.\n</think>\n\n${text}`)).toBe(true);
    expect(await accepts(held, `Hm.</think>${text}`)).toBe(true);
    expect(await accepts(held, text)).toBe(false);
    expect(await accepts(held, `Hm.</think>\nWell, ${text}`)).toBe(false);
  });

  it.each<[GrammarSpec, string]>([
    [PERSON, '{"name": "Ada", "age": 36}'],
    [{ type: 'json' }, '[{"a": 1}]'],
    [{ type: 'ebnf', grammar: 'root ::= "yes" | "no"' }, 'yes'],
  ])('leaves room for reasoning that the answer itself begins: %j', async (spec, text) => {
    const held = afterReasoning(spec, { open: false });
    expect(await accepts(held, text)).toBe(true);
    expect(await accepts(held, `<think>\n2 < 3, so {"yes"}.\n</think>\n\n${text}`)).toBe(true);
    expect(await accepts(held, `<think></think>${text}`)).toBe(true);
    expect(await accepts(held, `<think>\nHm.`)).toBe(false);
    expect(await accepts(held, `Hm.</think>${text}`)).toBe(false);
    expect(await accepts(held, `<think>Hm.</think>\nWell, ${text}`)).toBe(false);
  });

  it('is compiled once for all its requests', async () => {
    const spec: GrammarSpec = { type: 'ebnf', grammar: 'root ::= "once"' };
    await grammars.check(spec);
    const [a, b] = await Promise.all([grammars.matcher(spec), grammars.matcher({ ...spec })]);
    expect(a.accept(tokensOf('o')[0])).toBe(true);
    expect(await allowed(a)).toEqual(['n']);
    expect(await allowed(b)).toEqual(['o']);
  });

  it('is there for its matcher however many others come at once', async () => {
    const specs = Array.from(
      { length: 100 },
      (_, i): GrammarSpec => ({ type: 'ebnf', grammar: `root ::= "number ${i}"` }),
    );
    const matchers = await Promise.all(specs.map((spec) => grammars.matcher(spec)));
    for (const [i, matcher] of matchers.entries()) {
      for (const token of [...tokensOf(`number ${i}`), STOP]) {
        expect(matcher.accept(token)).toBe(true);
      }
    }
  });

  it('that does not compile is refused, with the line of what is wrong', async () => {
    await expect(
      grammars.check({ type: 'ebnf', grammar: 'root ::= nowhere' }),
    ).rejects.toMatchObject({
      code: 'invalid_schema',
      message: expect.stringMatching(/line 1, column 10: Rule "nowhere" is not defined/),
    });
  });

  it('that does not compile harms no other, however many there are', async () => {
    const live = await grammars.matcher(PERSON);
    for (const token of tokensOf('{"name": "A')) live.accept(token);
    for (let i = 0; i < 300; i++) {
      const bad: GrammarSpec[] = [
        { type: 'ebnf', grammar: `root ::= "${i}` },
        { type: 'ebnf', grammar: `root ::= (("a" | ${'('.repeat(50)} nowhere${i}` },
        {
          type: 'structural_tag',
          tag: JSON.stringify({ format: { type: 'regex', pattern: `(${i}` } }),
        },
      ];
      await expect(grammars.check(bad[i % 3])).rejects.toMatchObject({ code: 'invalid_schema' });
    }
    for (const token of tokensOf('da", "age": 36}')) expect(live.accept(token)).toBe(true);
    expect(await allowed(live)).toEqual(['</s>']);
    expect(await accepts(PERSON, '{"name": "Ada", "age": 36}')).toBe(true);
  });

  it('whose schema cannot be followed is refused with the path of what is wrong', async () => {
    const schema = { type: 'object', properties: { a: { type: 'string', format: 'regex' } } };
    const path = 'response_format.json_schema.schema';
    await expect(
      grammars.check({ type: 'json_schema', schema: JSON.stringify(schema), path }),
    ).rejects.toMatchObject({ code: 'invalid_schema', param: `${path}.properties.a.format` });
    await expect(grammars.check({ type: 'json_schema', schema: '{' })).rejects.toMatchObject({
      code: 'invalid_schema',
    });
  });

  it('is given up where nobody waits for it any more, and then compiled anew', async () => {
    const spec: GrammarSpec = {
      type: 'json_schema',
      schema: JSON.stringify({ pattern: '^(a|b){300}(c|d){300}$' }),
    };
    const gone = new AbortController();
    const checked = grammars.check(spec, gone.signal);
    gone.abort(new Error('gone'));
    await expect(checked).rejects.toThrow('gone');
    await grammars.check(spec);
    await expect(grammars.check(spec, gone.signal)).rejects.toThrow('gone');
  });

  it('goes on for those who stay where one who waits for it leaves', async () => {
    const spec: GrammarSpec = {
      type: 'json_schema',
      schema: JSON.stringify({ pattern: '^(a|b){300}(e|f){300}$' }),
    };
    const gone = new AbortController();
    const [left, stays] = [grammars.check(spec, gone.signal), grammars.check(spec)];
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await stays;
  });
});

it('a grammar reads SentencePiece’s tokens too: spaces, bytes, padding', async () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${hex(byte)}>`);
  const sentencePiece = await Grammars.create({
    tokens: ['</s>', ...bytes, '▁', '▁yes', 'yes', '▁sir', '!'],
    encoding: 'byte_fallback',
    vocabSize: 288,
    stopTokens: [0],
  });
  const grammar = 'root ::= "yes" " sir"? ("!" | "é")';
  const [space, spaceYes, yes, sir, mark] = [257, 258, 259, 260, 261];
  const takes = async (...tokens: number[]) => {
    const matcher = await sentencePiece.matcher({ type: 'ebnf', grammar });
    return [...tokens, 0].every((token) => matcher.accept(token));
  };
  expect(await takes(yes, sir, mark)).toBe(true);
  expect(await takes(yes, 1 + 0xc3, 1 + 0xa9)).toBe(true);
  expect(await takes(yes, space, mark)).toBe(false);
  expect(await takes(spaceYes, mark)).toBe(false);
  expect(await takes(yes, 280)).toBe(false); // padding
});

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');

describe('a matcher', () => {
  it('masks what may not come next, row by row of a batch', async () => {
    const person = await grammars.matcher(PERSON, tokensOf('{"name": "Ada", "age": 15'));
    expect((await allowed(person)).filter((text) => /\d/.test(text))).toEqual(['0']);

    const yes = await grammars.matcher({ type: 'ebnf', grammar: 'root ::= "yes"' });
    const rows = [person, yes].map((matcher) => {
      const logits = new Float32Array(SMALL_VOCABULARY.vocabSize);
      applyBitmask(logits, matcher.nextBitmask());
      return logits.filter((logit) => logit === 0).length;
    });
    expect(rows).toEqual([2, 2]); // "0" and "}"; "y" and "ye"
  });

  it('makes its next mask in slices where that takes longer than it may', async () => {
    const words = Array.from({ length: 20_000 }, (_, i) => `w${i.toString(36)}"`);
    const tokens = [...SMALL_VOCABULARY.tokens, ...words];
    const many = await Grammars.create({
      ...SMALL_VOCABULARY,
      tokens,
      vocabSize: tokens.length,
    });
    const spec: GrammarSpec = {
      type: 'json_schema',
      schema: JSON.stringify({ type: 'array', items: { pattern: '^(w[a-m]+|x)$' } }),
    };
    const [prepared, unprepared] = [await many.matcher(spec), await many.matcher(spec)];
    for (const matcher of [prepared, unprepared])
      for (const token of tokensOf('["')) matcher.accept(token);
    let turns = 0;
    const late = prepared.prepare(performance.now());
    expect(late).toBeInstanceOf(Promise);
    setImmediate(() => turns++);
    await late;
    expect(turns).toBe(1);
    expect(prepared.prepare(performance.now())).toBeUndefined();
    expect(prepared.nextBitmask()).toEqual(unprepared.nextBitmask());
    expect(prepared.nextBitmask().some((word) => word !== 0)).toBe(true);
  });

  it('takes up where a dropped sequence left off', async () => {
    const text = '{"name": "Ada", "age": 3';
    const kept = await grammars.matcher(PERSON);
    for (const token of tokensOf(text)) kept.accept(token);
    const resumed = await grammars.matcher(PERSON, tokensOf(text));
    expect(resumed.nextBitmask()).toEqual(kept.nextBitmask());
    await expect(grammars.matcher(PERSON, tokensOf('{"nome'))).rejects.toMatchObject({
      code: 'engine_failed',
    });
  });

  it('allows only the end once the grammar is complete, and nothing after it', async () => {
    const matcher = await grammars.matcher({ type: 'ebnf', grammar: 'root ::= "yes"' });
    for (const token of tokensOf('yes')) matcher.accept(token);
    expect(await allowed(matcher)).toEqual(['</s>']);
    expect(matcher.terminated).toBe(false);
    expect(matcher.accept(STOP)).toBe(true);
    expect(matcher.terminated).toBe(true);
    expect(await allowed(matcher)).toEqual(['</s>']);
    expect(matcher.accept(STOP)).toBe(false);
  });

  it('fails rather than end where the model has no token for what must come', async () => {
    const poor = await Grammars.create({ ...SMALL_VOCABULARY, tokens: ['</s>', 'y', 'e'] });
    const matcher = await poor.matcher({ type: 'ebnf', grammar: 'root ::= "yes"' });
    for (const token of [1, 2]) expect(matcher.accept(token)).toBe(true);
    expect(() => matcher.nextBitmask()).toThrowError(
      expect.objectContaining({ code: 'engine_failed' }),
    );
    expect(matcher.accept(STOP)).toBe(false);
  });

  it('lets a model without end tokens write its stop string once the grammar is complete', async () => {
    const endless = await Grammars.create({ ...SMALL_VOCABULARY, stopTokens: [] });
    const matcher = await endless.matcher({ type: 'ebnf', grammar: 'root ::= "yes"' });
    for (const token of tokensOf('yes')) matcher.accept(token);
    expect((await allowed(matcher)).length).toBe(SMALL_VOCABULARY.vocabSize);
    for (const token of tokensOf('<end>')) expect(matcher.accept(token)).toBe(true);
    expect(matcher.terminated).toBe(false);
    const spec: GrammarSpec = { type: 'ebnf', grammar: 'root ::= "yes"' };
    expect((await endless.matcher(spec, tokensOf('yes<en'))).terminated).toBe(false);
  });

  it('refuses a token that the grammar forbids, or that there is not, and stays where it was', async () => {
    const matcher = await grammars.matcher({ type: 'ebnf', grammar: 'root ::= "yes"' });
    expect(matcher.accept(tokensOf('n')[0])).toBe(false);
    expect(matcher.accept(-1)).toBe(false);
    expect(matcher.accept(1_000_000)).toBe(false);
    expect(await allowed(matcher)).toEqual(['y', 'ye']);
  });
});
