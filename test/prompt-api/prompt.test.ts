import { describe, expect, it } from 'vitest';
import type { LanguageModelMessage, LanguageModelPrompt } from '../../src/prompt-api';
import { failure, lastWords, piecesOf, start } from './setup';

describe('a prompt', () => {
  it('is answered, and the session remembers both', async () => {
    const { LanguageModel, requests } = start((_, round) => ({
      content: ['Blue.', 'Rayleigh.'][round],
    }));
    const session = await LanguageModel.create({
      initialPrompts: [{ role: 'system', content: 'Be brief.' }],
    });
    expect(await session.prompt('Which colour is the sky?')).toBe('Blue.');
    expect(await session.prompt('Why?')).toBe('Rayleigh.');
    expect(requests[1].messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Which colour is the sky?' },
      { role: 'assistant', content: 'Blue.' },
      { role: 'user', content: 'Why?' },
    ]);
  });

  it('streams its answer in pieces that make the whole', async () => {
    const { LanguageModel } = start(() => ({ content: 'One piece after the other, to the end.' }));
    const session = await LanguageModel.create();
    const stream = session.promptStreaming('Go on.');
    expect(stream).toBeInstanceOf(ReadableStream);
    const pieces = await piecesOf(stream);
    expect(pieces.length).toBeGreaterThan(4);
    expect(pieces.join('')).toBe('One piece after the other, to the end.');
  });

  it('of a thinking model is answered without the thoughts', async () => {
    const { LanguageModel, requests } = start(() => ({ content: '<think>Hm, two.</think>Two.' }));
    const session = await LanguageModel.create();
    expect(await session.prompt('One and one?')).toBe('Two.');
    expect((await piecesOf(session.promptStreaming('Sure?'))).join('')).toBe('Two.');
    expect(requests[1].messages[1]).toEqual({ role: 'assistant', content: 'Two.' });
  });

  it.each<[string, LanguageModelPrompt, LanguageModelMessage[]]>([
    ['a string', 'Hello', [{ role: 'user', content: 'Hello' }]],
    ['what is no string', Object(42), [{ role: 'user', content: '42' }]],
    ['nothing at all', [], [{ role: 'user', content: '' }]],
    ['a message', [{ role: 'user', content: 'Hello' }], [{ role: 'user', content: 'Hello' }]],
    ['a message without content', [{ role: 'user', content: [] }], [{ role: 'user', content: '' }]],
    [
      'parts, joined without a space',
      [
        {
          role: 'user',
          content: [
            { type: 'text', value: 'foo' },
            { type: 'text', value: 'bar' },
          ],
        },
      ],
      [{ role: 'user', content: 'foobar' }],
    ],
    [
      'a system message that is the first of all',
      [
        { role: 'system', content: 'Rhyme.' },
        { role: 'user', content: 'Hello' },
      ],
      [
        { role: 'system', content: 'Rhyme.' },
        { role: 'user', content: 'Hello' },
      ],
    ],
    [
      'several speakers, the last of them the assistant',
      [
        { role: 'user', content: 'Marketing: more.' },
        { role: 'user', content: 'Finance: less.' },
        { role: 'assistant', content: 'A compromise:' },
      ],
      [
        { role: 'user', content: 'Marketing: more.' },
        { role: 'user', content: 'Finance: less.' },
        { role: 'assistant', content: 'A compromise:' },
      ],
    ],
  ])('may be %s', async (_, input, messages) => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create();
    expect(await session.prompt(input)).toBe('Yes.');
    expect(requests[0].messages).toEqual(messages);
  });

  it('without words answers what was appended', async () => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create();
    await session.append('A question.');
    await session.prompt([]);
    expect(requests[0].messages).toEqual([{ role: 'user', content: 'A question.' }]);
  });

  it('is what it was when it was given', async () => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create();
    const message = { role: 'user' as const, content: 'As it was' };
    const answer = session.prompt([message]);
    message.content = 'As it is now';
    await answer;
    expect(lastWords(requests[0])).toBe('As it was');
  });

  it('that ends with a prefix is continued, and what comes is the rest', async () => {
    const { LanguageModel, requests, harness } = start((_, round) => ({
      content: ['name = "Nim"', 'Fine.'][round],
    }));
    const session = await LanguageModel.create();
    const sheet = await session.prompt([
      { role: 'user', content: 'A character sheet, in TOML' },
      { role: 'assistant', content: '[gnome]\n', prefix: true },
    ]);
    expect(sheet).toBe('name = "Nim"');
    expect(requests[0].continue_final_message).toBe(true);
    const [fed] = [...harness.device.tokens.values()];
    expect(harness.device.model.tokenizer.decode(fed.given)).toMatch(/assistant\n\[gnome\]\n$/);
    await session.prompt('And?');
    expect(requests[1].continue_final_message).toBe(false);
    expect(requests[1].messages[1]).toEqual({
      role: 'assistant',
      content: '[gnome]\nname = "Nim"',
    });
  });
});

describe('messages that are appended', () => {
  it('wait for the next prompt', async () => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create();
    expect(await session.append([{ role: 'system', content: 'Rhyme.' }])).toBeUndefined();
    await session.append('First.');
    await session.append([{ role: 'assistant', content: 'Second.' }]);
    expect(requests).toEqual([]);
    await session.prompt('Third?');
    expect(requests[0].messages.map(({ content }) => content)).toEqual([
      'Rhyme.',
      'First.',
      'Second.',
      'Third?',
    ]);
  });

  it('are none where the list is empty', async () => {
    const { LanguageModel } = start();
    const session = await LanguageModel.create();
    await session.append([]);
    expect(session.contextUsage).toBe(0);
  });
});

describe('a prompt that is none', () => {
  const text = (value: unknown) => ({
    role: 'user' as const,
    content: [{ type: 'text' as const, value }],
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'TypeError'],
    ['null', null, 'TypeError'],
    ['a null for content', [{ role: 'user', content: null }], 'TypeError'],
    ['a message that is none', [null], 'TypeError'],
    ['an unknown role', [{ role: 'narrator', content: 'x' }], 'TypeError'],
    ['no role', [{ content: 'x' }], 'TypeError'],
    ['no content', [{ role: 'user' }], 'TypeError'],
    ['an unknown type', [{ role: 'user', content: [{ type: 'smell', value: 'x' }] }], 'TypeError'],
    ['a text without a value', [{ role: 'user', content: [{ type: 'text' }] }], 'TypeError'],
    ['a text of bytes', [text(new ArrayBuffer(1))], 'TypeError'],
    [
      'a system message that comes late',
      [
        { role: 'user', content: 'x' },
        { role: 'system', content: 'y' },
      ],
      'TypeError',
    ],
    ['a prefix of the user’s', [{ role: 'user', content: 'x', prefix: true }], 'SyntaxError'],
    [
      'a prefix that is not the end',
      [
        { role: 'assistant', content: 'x', prefix: true },
        { role: 'user', content: 'y' },
      ],
      'SyntaxError',
    ],
    [
      'an image',
      [{ role: 'user', content: [{ type: 'image', value: new Blob() }] }],
      'NotSupportedError',
    ],
    [
      'a sound of the assistant’s',
      [{ role: 'assistant', content: [{ type: 'audio', value: new Blob() }] }],
      'NotSupportedError',
    ],
  ])('is refused: %s', async (_, input, name) => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create();
    const prompt = input as LanguageModelPrompt;
    for (const refused of [
      session.prompt(prompt),
      session.append(prompt),
      session.measureContextUsage(prompt),
      (async () => piecesOf(session.promptStreaming(prompt)))(),
    ]) {
      expect(await failure(refused)).toMatchObject({ name });
    }
    expect(requests).toEqual([]);
    expect(await session.prompt('Still there?')).toBe('Yes.');
  });

  it('a second system message is refused, whoever brought the first', async () => {
    const { LanguageModel } = start();
    const late = [{ role: 'system' as const, content: 'Be loud.' }];
    const initial = await LanguageModel.create({
      initialPrompts: [{ role: 'system', content: 'Be quiet.' }],
    });
    expect(await failure(initial.append(late))).toBeInstanceOf(TypeError);
    const queued = await LanguageModel.create();
    const first = queued.append('Hello');
    expect(await failure(queued.append(late))).toBeInstanceOf(TypeError);
    await first;
  });

  it('with options that are none is refused, by the stream at once', async () => {
    const { LanguageModel } = start();
    const session = await LanguageModel.create();
    const bad = { signal: 'stop' } as unknown as { signal: AbortSignal };
    expect(await failure(session.prompt('Hello', bad))).toBeInstanceOf(TypeError);
    expect(() => session.promptStreaming('Hello', bad)).toThrow(TypeError);
    expect(await session.prompt('Hello', { signal: null, responseConstraint: null })).toBe('Yes.');
  });
});

describe('an answer with a constraint', () => {
  const schema = {
    type: 'object',
    properties: { rating: { type: 'number' } },
    required: ['rating'],
  };

  it('is held to a JSON schema, which the model reads too', async () => {
    const { LanguageModel, requests } = start(() => ({ content: '{"rating": 4}' }));
    const session = await LanguageModel.create();
    const answer = await session.prompt('Rate it.', { responseConstraint: schema });
    expect(JSON.parse(answer)).toEqual({ rating: 4 });
    expect(requests[0].response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'response', schema },
    });
    expect(lastWords(requests[0])).toContain('Rate it.');
    expect(lastWords(requests[0])).toContain(JSON.stringify(schema));
  });

  it('is held to a regular expression', async () => {
    const { LanguageModel, requests } = start(() => ({ content: 'yes' }));
    const session = await LanguageModel.create();
    await session.prompt('Is it?', { responseConstraint: /^(yes|no)$/ });
    expect(requests[0].response_format).toEqual({ type: 'regex', pattern: '^(yes|no)$' });
    expect(lastWords(requests[0])).toContain('^(yes|no)$');
  });

  it('leaves the prompt alone where it is told to', async () => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create();
    const options = { responseConstraint: /yes|no/, omitResponseConstraintInput: true };
    await session.prompt('Is it?', options);
    expect(lastWords(requests[0])).toBe('Is it?');
    expect(requests[0].response_format?.type).toBe('regex');
  });

  it('speaks before a prefix, and by itself where no user does', async () => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create();
    await session.prompt([{ role: 'assistant', content: 'It is', prefix: true }], {
      responseConstraint: / (fine|foul)/,
    });
    expect(requests[0].messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(requests[0].messages[1].content).toBe('It is');
  });

  it.each<[string, unknown, string]>([
    ['a string', '{}', 'TypeError'],
    ['a list', [{}], 'TypeError'],
    ['a circle', circle(), 'TypeError'],
    ['a schema that cannot be enforced', { type: 'object', not: {} }, 'NotSupportedError'],
    ['an expression that cannot be enforced', /(?=ahead)/, 'NotSupportedError'],
  ])('is refused for %s', async (_, responseConstraint, name) => {
    const { LanguageModel } = start();
    const session = await LanguageModel.create();
    const options = { responseConstraint } as { responseConstraint: object };
    expect(await failure(session.prompt('Rate it.', options))).toMatchObject({ name });
    expect(await session.prompt('Still there?')).toBe('Yes.');
  });

  it('cannot be omitted where there is none', async () => {
    const { LanguageModel } = start();
    const session = await LanguageModel.create();
    const options = { omitResponseConstraintInput: true };
    expect(await failure(session.prompt('Rate it.', options))).toBeInstanceOf(TypeError);
    expect(await failure(session.measureContextUsage('x', options))).toBeInstanceOf(TypeError);
    expect(() => session.promptStreaming('Rate it.', options)).toThrow(TypeError);
  });

  function circle(): object {
    const schema: Record<string, unknown> = { type: 'object' };
    schema.properties = { self: schema };
    return schema;
  }
});
