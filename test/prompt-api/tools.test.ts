import { describe, expect, it } from 'vitest';
import type { LanguageModelTool } from '../../src/prompt-api';
import { failure, lastWords, piecesOf, type Reply, start, tick } from './setup';

const inputSchema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
};

function weather(execute: (args: Record<string, unknown>) => Promise<string>): LanguageModelTool {
  return { name: 'weather', description: 'The weather in a city.', inputSchema, execute };
}

/** Asks for the weather in these cities at once, then says what it read. */
const asks =
  (...cities: string[]): Reply =>
  (request, round) =>
    round === 0
      ? { tool_calls: cities.map((city) => ({ name: 'weather', arguments: { city } })) }
      : { content: `It says: ${lastWords(request)}` };

describe('a session with tools', () => {
  it('runs what the model calls, and answers with what came of it', async () => {
    const calls: unknown[] = [];
    const { LanguageModel, requests } = start(asks('Oslo'));
    const session = await LanguageModel.create({
      tools: [
        weather(async (...args) => {
          calls.push(args);
          return 'rain';
        }),
      ],
      expectedInputs: [{ type: 'text', languages: ['en'] }, { type: 'tool-response' }],
      expectedOutputs: [{ type: 'text' }, { type: 'tool-call' }],
    });
    expect(await session.prompt('Does it rain in Oslo?')).toBe('It says: rain');
    expect(calls).toEqual([[{ city: 'Oslo' }]]);
    expect(requests[0].tools).toEqual([
      {
        type: 'function',
        function: {
          name: 'weather',
          description: 'The weather in a city.',
          parameters: inputSchema,
        },
      },
    ]);
    expect(requests[1].messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
    await session.prompt('Thanks.');
    expect(requests[2].messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ]);
  });

  it('runs several calls at once, and gives each its own result', async () => {
    let running = 0;
    let most = 0;
    const { LanguageModel, requests } = start(asks('Oslo', 'Rome', 'Bern'));
    const session = await LanguageModel.create({
      tools: [
        weather(async ({ city }) => {
          most = Math.max(most, ++running);
          await tick(city === 'Oslo' ? 20 : 5);
          running--;
          return `${city}: fine`;
        }),
      ],
    });
    await session.prompt('Where is it best?');
    expect(most).toBe(3);
    expect(requests[1].messages.slice(2).map(({ content }) => content)).toEqual([
      'Oslo: fine',
      'Rome: fine',
      'Bern: fine',
    ]);
  });

  it('streams the words around the calls', async () => {
    const { LanguageModel } = start((request, round) => ({
      content: round === 0 ? 'Let me look. ' : `There: ${lastWords(request)}`,
      tool_calls: round === 0 ? [{ name: 'weather', arguments: { city: 'Oslo' } }] : undefined,
    }));
    const session = await LanguageModel.create({ tools: [weather(async () => 'rain')] });
    const pieces = await piecesOf(session.promptStreaming('And in Oslo?'));
    expect(pieces.join('')).toMatch(/^Let me look\.\s?There: rain$/);
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    ['throws', () => Promise.reject(new Error('no network')), /Error: no network/],
    [
      'throws at once',
      () => {
        throw new TypeError('no city');
      },
      /Error: no city/,
    ],
    [
      'returns no string',
      () => Promise.resolve({ rain: true } as unknown as string),
      /{"rain":true}/,
    ],
    ['returns nothing', () => Promise.resolve(undefined as unknown as string), /undefined/],
  ])('lets the model read what came of a tool that %s', async (_, execute, words) => {
    const { LanguageModel } = start(asks('Oslo'));
    const session = await LanguageModel.create({ tools: [weather(execute)] });
    expect(await session.prompt('Does it rain?')).toMatch(words);
  });

  it('lets the model read that it called what is not there', async () => {
    const { LanguageModel } = start((request, round) =>
      round === 0
        ? { tool_calls: [{ name: 'hammer', arguments: {} }] }
        : { content: lastWords(request) },
    );
    const session = await LanguageModel.create({ tools: [weather(async () => 'rain')] });
    expect(await session.prompt('Hit it.')).toMatch(/There is no tool "hammer"/);
  });

  it('goes on for as many calls as it takes, but not for ever', async () => {
    let runs = 0;
    const { LanguageModel, requests } = start((request) =>
      request.tool_choice === 'none'
        ? { content: 'Enough.' }
        : { tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
    );
    const session = await LanguageModel.create({
      tools: [weather(async () => `run ${++runs}`)],
    });
    expect(await session.prompt('Look until it rains.')).toBe('Enough.');
    expect(runs).toBe(16);
    expect(requests).toHaveLength(17);
  });

  it('stops for an abort while a tool runs, and takes its result no more', async () => {
    const { LanguageModel, requests } = start(asks('Oslo'));
    let finish: (result: string) => void = () => {};
    const began = new Promise<void>((resolve) => {
      finish = () => resolve();
    });
    const tools = [
      weather(() => {
        finish('');
        return new Promise((resolve) => {
          finish = resolve;
        });
      }),
    ];
    const session = await LanguageModel.create({ tools });
    const controller = new AbortController();
    const outcome = failure(session.prompt('Does it rain?', { signal: controller.signal }));
    const next = session.prompt('Never mind.');
    await began;
    const reason = new Error('too slow');
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    finish('rain');
    expect(await next).toBe('It says: Never mind.');
    expect(requests[1].messages).toEqual([{ role: 'user', content: 'Never mind.' }]);
  });

  it('makes room for results, and drops whole pairs', async () => {
    const { LanguageModel, requests } = start(
      (request, round) => (round === 0 ? { content: 'Hi.' } : asks('Oslo')(request, round - 1)),
      { profile: { contextWindow: 500, totalPages: 64, pageSize: 16 } },
    );
    const session = await LanguageModel.create({
      tools: [weather(async () => 'rain '.repeat(70))],
    });
    let overflows = 0;
    session.oncontextoverflow = () => overflows++;
    await session.prompt('word '.repeat(120));
    await session.prompt('And in Oslo?');
    expect(requests[1].messages).toHaveLength(3);
    expect(requests[2].messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
    expect(overflows).toBe(1);
  });

  it('may call, or answer in the form that is asked for', async () => {
    const { LanguageModel, requests } = start((_, round) =>
      round === 0
        ? { tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] }
        : { content: '"wet"' },
    );
    const session = await LanguageModel.create({ tools: [weather(async () => 'rain')] });
    const responseConstraint = { enum: ['wet', 'dry'] };
    expect(await session.prompt('And in Oslo?', { responseConstraint })).toBe('"wet"');
    expect(requests.map(({ response_format }) => response_format?.type)).toEqual([
      'json_schema',
      'json_schema',
    ]);
  });

  it('gives its clones the same tools', async () => {
    const { LanguageModel } = start(asks('Oslo'));
    const session = await LanguageModel.create({ tools: [weather(async () => 'rain')] });
    const clone = await session.clone();
    expect(await clone.prompt('Does it rain?')).toBe('It says: rain');
  });
});

describe('tools that are none are refused at creation', () => {
  const good = weather(async () => '');
  const circle: Record<string, unknown> = { type: 'object' };
  circle.self = circle;
  const throwing = {
    type: 'object',
    get properties(): never {
      throw new RangeError('not now');
    },
  };

  it.each<[string, unknown[], string]>([
    ['no name', [{ ...good, name: '' }], 'TypeError'],
    ['no description', [{ ...good, description: '' }], 'TypeError'],
    ['no schema', [{ ...good, inputSchema: undefined }], 'TypeError'],
    ['a null for a schema', [{ ...good, inputSchema: null }], 'TypeError'],
    ['a schema of no type', [{ ...good, inputSchema: {} }], 'TypeError'],
    ['a schema of a string', [{ ...good, inputSchema: { type: 'string' } }], 'TypeError'],
    ['a schema that is a circle', [good, { ...good, name: 'x', inputSchema: circle }], 'TypeError'],
    ['a schema that throws', [{ ...good, inputSchema: throwing }], 'RangeError'],
    ['nothing to execute', [{ ...good, execute: undefined }], 'TypeError'],
    ['two of a name', [good, good], 'TypeError'],
    ['a name that no model can write', [{ ...good, name: 'a b' }], 'TypeError'],
    [
      'a schema that cannot be enforced',
      [{ ...good, inputSchema: { type: 'object', not: {} } }],
      'NotSupportedError',
    ],
  ])('%s', async (_, tools, name) => {
    const { LanguageModel } = start();
    const options = { tools: tools as LanguageModelTool[] };
    expect(await failure(LanguageModel.create(options))).toMatchObject({ name });
  });
});
