import { beforeAll, describe, expect, it } from 'vitest';
import { afterReasoning } from '../../engine/sampling';
import { Grammars } from '../../engine/sampling/grammars';
import { TEMPLATES } from '../../engine/testing/conversations';
import { writeAtRandom } from '../../engine/testing/random-writer';
import { SMALL_VOCABULARY, STOP, tokensOf } from '../../engine/testing/small-vocabulary';
import { type GrammarSpec, TempoError } from '../../scheduler';
import type { Tool } from '../chat-types';
import { prepareTools, type ToolRequest } from './tools';

const WEATHER: Tool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city.',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string', minLength: 1 },
        days: { type: 'integer', minimum: 1, maximum: 7 },
      },
      required: ['city'],
    },
  },
};
const CLOCK: Tool = { type: 'function', function: { name: 'clock' } };
const tools = [WEATHER, CLOCK];
const template = TEMPLATES.qwen2;

let grammars: Grammars;
beforeAll(async () => {
  grammars = await Grammars.create(SMALL_VOCABULARY);
});

/** Whether an answer's grammar takes a text and an end. */
async function takes(request: ToolRequest, text: string, of = template): Promise<boolean> {
  const grammar = prepareTools(request, of)?.grammar;
  if (grammar === undefined) throw new Error('There is no grammar.');
  const matcher = await grammars.matcher(grammar);
  const taken = [...tokensOf(text), STOP].every((token) => matcher.accept(token));
  return taken;
}

const call = (name: string, args: string) =>
  `<tool_call>\n{"name": "${name}", "arguments": ${args}}\n</tool_call>`;
const oslo = call('get_weather', '{"city": "Oslo"}');

describe('an answer to a request with tools', () => {
  it('may be words, a call, several, or a mixture, where the choice is automatic', async () => {
    expect(await takes({ tools }, 'It rains.')).toBe(true);
    expect(await takes({ tools }, oslo)).toBe(true);
    expect(await takes({ tools }, `Let me look.\n${oslo}\n${call('clock', '{}')}`)).toBe(true);
  });

  it('calls no other tools than there are, with no other arguments than they take', async () => {
    expect(await takes({ tools }, call('get_whether', '{"city": "Oslo"}'))).toBe(false);
    expect(await takes({ tools }, call('get_weather', '{}'))).toBe(false);
    expect(await takes({ tools }, call('get_weather', '{"city": ""}'))).toBe(false);
    expect(await takes({ tools }, call('get_weather', '{"city": "x", "days": 8}'))).toBe(false);
    expect(await takes({ tools }, call('get_weather', '{"city": "x", "days": 7}'))).toBe(true);
    expect(await takes({ tools }, call('clock', '{"any": [1, 2]}'))).toBe(true);
  });

  it('is calls and nothing else where one is required', async () => {
    const request: ToolRequest = { tools, tool_choice: 'required' };
    expect(await takes(request, 'It rains.')).toBe(false);
    expect(await takes(request, '')).toBe(false);
    expect(await takes(request, oslo)).toBe(true);
    expect(await takes(request, `${oslo}\n${oslo}`)).toBe(true);
    expect(await takes(request, `${oslo} and words`)).toBe(false);
  });

  it('is one call of the tool that is named', async () => {
    const request: ToolRequest = {
      tools,
      tool_choice: { type: 'function', function: { name: 'clock' } },
    };
    expect(await takes(request, call('clock', '{}'))).toBe(true);
    expect(await takes(request, oslo)).toBe(false);
    expect(await takes(request, `${call('clock', '{}')}\n${call('clock', '{}')}`)).toBe(false);
  });

  it('has one call at most where they may not be parallel', async () => {
    const request: ToolRequest = { tools, parallel_tool_calls: false };
    expect(await takes(request, oslo)).toBe(true);
    expect(await takes(request, `${oslo}\n${oslo}`)).toBe(false);
    const required: ToolRequest = { ...request, tool_choice: 'required' };
    expect(await takes(required, `${oslo}\n${oslo}`)).toBe(false);
  });

  it('is a call of one of the tools that are allowed', async () => {
    const allowed = (mode: 'auto' | 'required'): ToolRequest => ({
      tools,
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode, tools: [{ type: 'function', function: { name: 'clock' } }] },
      },
    });
    expect(await takes(allowed('auto'), 'It is late.')).toBe(true);
    expect(await takes(allowed('auto'), oslo)).toBe(false);
    expect(await takes(allowed('required'), 'It is late.')).toBe(false);
    const twice = `${call('clock', '{}')}\n${call('clock', '{}')}`;
    expect(await takes(allowed('required'), twice)).toBe(true);
  });

  it.each<[string, Record<string, unknown> | null]>([
    ['without a schema', null],
    ['of an empty schema', {}],
    ['of a schema without a type', { description: 'Anything.', required: [] }],
    ['of objects among others', { type: ['object', 'null', 'string'] }],
    ['of a choice', { anyOf: [{ type: 'integer' }, { type: 'object' }, { type: 'null' }] }],
    ['of a choice that says nothing of types', { anyOf: [{}, true] }],
    ['of constants', { enum: [5, { any: 1 }, { x: [1] }, {}] }],
    ['of a reference', { $ref: '#/$defs/a', $defs: { a: { type: ['object', 'integer'] } } }],
    [
      'of a reference to a reference',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b~1c' }, 'b/c': {} } },
    ],
    ['of an anchor', { $ref: '#any', $defs: { a: { $anchor: 'any' } } }],
    ['of an identifier', { $id: 'x://a/b', $ref: 'c', $defs: { c: { $id: 'c' } } }],
    [
      'of a reference in draft 7',
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        $ref: '#/definitions/a',
        definitions: { a: {} },
      },
    ],
    [
      'of a choice that is referred to',
      { anyOf: [{ type: 'null' }, { properties: { a: { $ref: '#/anyOf/0' } } }] },
    ],
  ])('takes arguments %s as an object and nothing else', async (_, parameters) => {
    const free: Tool = { type: 'function', function: { name: 'free', parameters } };
    const isTaken = (args: string) => takes({ tools: [free] }, call('free', args));
    expect(await isTaken('{}')).toBe(true);
    for (const args of ['5', '"x"', 'null', '[]', 'true', '[{}]']) {
      expect(await isTaken(args), args).toBe(false);
    }
  });

  it('holds arguments to what stands beside a reference and to what it leads to', async () => {
    const parameters = {
      $ref: '#/$defs/a',
      properties: { x: { type: 'integer' } },
      required: ['x'],
      $defs: { a: { properties: { y: { type: 'integer' } }, required: ['y'] } },
    };
    const both: Tool = { type: 'function', function: { name: 'both', parameters } };
    const isTaken = (args: string) => takes({ tools: [both] }, call('both', args));
    expect(await isTaken('{"x":1,"y":2}')).toBe(true);
    for (const args of ['{"x":1}', '{"y":2}', '{"x":1,"y":"2"}', '{"x":"1","y":2}']) {
      expect(await isTaken(args), args).toBe(false);
    }
  });

  it('is free where the choice is none, though the tools are described', () => {
    const prepared = prepareTools({ tools, tool_choice: 'none' }, template);
    expect(prepared?.grammar).toBeUndefined();
    expect(prepared?.section).toContain('get_weather');
    expect(prepared?.parser().push(oslo)).toEqual({ content: oslo, toolCalls: [] });
  });

  it('is written in Llama’s way where the template is Llama’s', async () => {
    const llama = TEMPLATES['llama-3_1'];
    const text = '{"name": "get_weather", "parameters": {"city": "Oslo"}}';
    expect(await takes({ tools }, text, llama)).toBe(true);
    expect(await takes({ tools, tool_choice: 'required' }, `${text}; ${text}`, llama)).toBe(true);
    expect(await takes({ tools, tool_choice: 'required' }, oslo, llama)).toBe(false);
  });

  it.each(['qwen2', 'llama-3_1'])(
    'parses into calls that fit the tools, whatever a model that knows nothing writes (%s)',
    async (name) => {
      const request: ToolRequest = { tools, tool_choice: 'required' };
      const prepared = prepareTools(request, TEMPLATES[name]);
      const grammar = prepared?.grammar;
      if (prepared === undefined || grammar === undefined) throw new Error('There is no grammar.');
      for (let seed = 0; seed < 10; seed++) {
        const matcher = await grammars.matcher(grammar);
        const written = await writeAtRandom(matcher, seed, 120);
        if (written === undefined) continue;
        const parser = prepared.parser();
        const content = parser.push(written).content + parser.finish().content;
        expect(content).toBe('');
        expect(parser.toolCalls.length).toBeGreaterThan(0);
        for (const { function: called } of parser.toolCalls) {
          const args = JSON.parse(called.arguments);
          if (called.name === 'clock') continue;
          expect(called.name).toBe('get_weather');
          expect(args.city).toEqual(expect.any(String));
          if ('days' in args) expect([1, 2, 3, 4, 5, 6, 7]).toContain(args.days);
        }
      }
    },
  );
});

describe('an answer to a request with tools and a format', () => {
  const SCHEMA = {
    type: 'object',
    properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 } },
    required: ['name'],
    additionalProperties: false,
  };
  const format: GrammarSpec = { type: 'json_schema', schema: JSON.stringify(SCHEMA) };
  const request: ToolRequest = { tools, response_format: format };
  const llama = TEMPLATES['llama-3_1'];

  it('is in the format, or calls, and nothing else', async () => {
    expect(await takes(request, '{"name": "Ada", "age": 36}')).toBe(true);
    expect(await takes(request, oslo)).toBe(true);
    expect(await takes(request, `${oslo}\n${call('clock', '{}')}`)).toBe(true);
    expect(await takes(request, 'Ada is 36.')).toBe(false);
    expect(await takes(request, '{"age": 36}')).toBe(false);
    expect(await takes(request, '{"name": "Ada", "age": -1}')).toBe(false);
    expect(await takes(request, `${oslo}\n{"name": "Ada"}`)).toBe(false);
    expect(await takes(request, call('get_weather', '{}'))).toBe(false);
    expect(await takes({ ...request, parallel_tool_calls: false }, `${oslo}\n${oslo}`)).toBe(false);
  });

  it('begins after the reasoning where the prompt opened it', async () => {
    const grammar = prepareTools(request, template)?.grammar;
    if (grammar === undefined) throw new Error('There is no grammar.');
    for (const text of ['{"name": "Ada"}', oslo]) {
      const matcher = await grammars.matcher(afterReasoning(grammar));
      const tokens = [...tokensOf(`A <tool_call> or not?</think>\n\n${text}`), STOP];
      expect(tokens.every((token) => matcher.accept(token))).toBe(true);
    }
  });

  it('is a call where one is required, and in the format where none is allowed', async () => {
    const required: ToolRequest = { ...request, tool_choice: 'required' };
    expect(await takes(required, '{"name": "Ada"}')).toBe(false);
    expect(await takes(required, oslo)).toBe(true);
    const none = prepareTools({ ...request, tool_choice: 'none' }, template);
    expect(none?.grammar).toBeUndefined(); // the format's own holds
    expect(none?.section).toContain('get_weather');
  });

  it.each<[string, GrammarSpec, string]>([
    ['a schema', { type: 'json_schema', schema: '{"type":"boolean"}' }, 'true'],
    ['any JSON', { type: 'json' }, '{"a": [1]}'],
    ['a grammar', { type: 'ebnf', grammar: 'root ::= "yes" | "no"' }, 'yes'],
  ])('may be held to %s', async (_, response_format, text) => {
    expect(await takes({ tools, response_format }, text)).toBe(true);
    expect(await takes({ tools, response_format }, oslo)).toBe(true);
    expect(await takes({ tools: [WEATHER], response_format }, oslo)).toBe(true);
    expect(await takes({ tools, response_format }, Array(9).fill(oslo).join('\n'))).toBe(true);
    expect(await takes({ tools, response_format }, 'maybe')).toBe(false);
    expect(await takes({ tools, response_format }, `${oslo}\n${text}`)).toBe(false);
  });

  it('is told from a call by how it begins, in Llama’s format too', async () => {
    const written = '{"name": "Ada", "age": 36}';
    const called = '{"name": "get_weather", "parameters": {"city": "Oslo"}}';
    expect(await takes(request, written, llama)).toBe(true);
    expect(await takes(request, called, llama)).toBe(true);
    const parse = (pieces: Iterable<string>) => {
      const parser = prepareTools(request, llama)?.parser();
      if (parser === undefined) throw new Error('There is no parser.');
      const parsed = [...[...pieces].map((piece) => parser.push(piece)), parser.finish()];
      return { content: parsed.map(({ content }) => content).join(''), calls: parser.toolCalls };
    };
    for (const pieces of [[written], written]) {
      expect(parse(pieces)).toEqual({ content: written, calls: [] });
    }
    for (const pieces of [[called], called]) {
      const { content, calls } = parse(pieces);
      expect(content).toBe('');
      expect(calls.map((one) => one.function)).toEqual([
        { name: 'get_weather', arguments: '{"city": "Oslo"}' },
      ]);
    }
    expect(parse('{"name": "get_w').content).toBe('{"name": "get_w'); // cut short
  });

  it('keeps what looks like a call inside the answer', () => {
    const text = `{"name": "${oslo.replaceAll('"', '\\"').replaceAll('\n', '\\n')}"}`;
    const parser = prepareTools(request, template)?.parser();
    expect(parser?.push(text)).toEqual({ content: text, toolCalls: [] });
    expect(parser?.toolCalls).toEqual([]);
  });
});

describe('tools are checked before anything is queued', () => {
  const named = (name: string): Tool => ({ type: 'function', function: { name } });
  const taking = (parameters: Record<string, unknown>): Tool => ({
    type: 'function',
    function: { name: 'f', parameters },
  });

  it.each<[string, ToolRequest, string, string]>([
    [
      'a choice of a tool that is not there',
      { tools, tool_choice: { type: 'function', function: { name: 'search' } } },
      'unknown_tool',
      'tool_choice.function.name',
    ],
    [
      'a choice among tools that are not there',
      {
        tools,
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: {
            mode: 'auto',
            tools: [CLOCK, { type: 'function', function: { name: 'search' } }],
          },
        },
      },
      'unknown_tool',
      'tool_choice.allowed_tools.tools[1].function.name',
    ],
    [
      'tools beside a structural tag',
      { tools, response_format: { type: 'structural_tag', tag: '{"format":{"type":"any_text"}}' } },
      'invalid_request',
      'response_format',
    ],
    [
      'arguments that no object can be',
      { tools: [taking({ anyOf: [{ type: 'string' }, { const: 5 }] })] },
      'invalid_schema',
      'tools[0].function.parameters',
    ],
    [
      'a required call without tools',
      { tool_choice: 'required' },
      'invalid_request',
      'tool_choice',
    ],
    ['a name with a space', { tools: [named('a b')] }, 'invalid_request', 'tools[0].function.name'],
    [
      'a name twice',
      { tools: [CLOCK, WEATHER, CLOCK] },
      'invalid_request',
      'tools[2].function.name',
    ],
    [
      'arguments that are no object',
      { tools: [taking({ type: 'string' })] },
      'invalid_schema',
      'tools[0].function.parameters.type',
    ],
  ])('%s', (_, request, code, param) => {
    let thrown: unknown;
    try {
      prepareTools(request, template);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TempoError);
    expect(thrown).toMatchObject({ code, param });
  });

  it('a schema that output cannot be held to, once their grammar is compiled', async () => {
    const n = { type: 'string', format: 'regex' };
    const tools = [CLOCK, taking({ type: 'object', properties: { n } })];
    const grammar = prepareTools({ tools }, template)?.grammar;
    if (grammar === undefined) throw new Error('There is no grammar.');
    await expect(grammars.check(grammar)).rejects.toMatchObject({
      code: 'invalid_schema',
      param: 'tools[1].function.parameters.properties.n.format',
    });
  });

  it('a schema that is endless, before it is looked at', () => {
    let many: Record<string, unknown> = { type: 'string' };
    for (let i = 0; i < 40; i++) many = { properties: { a: many, b: many } };
    expect(() => prepareTools({ tools: [taking(many)] }, template)).toThrowError(
      expect.objectContaining({ code: 'invalid_schema', param: 'tools[0].function.parameters' }),
    );
  });

  it('no tools, no preparations', () => {
    expect(prepareTools({}, template)).toBeUndefined();
    expect(prepareTools({ tools: [], tool_choice: 'auto' }, template)).toBeUndefined();
  });
});
