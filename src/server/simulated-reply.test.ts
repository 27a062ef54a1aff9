import { describe, expect, it } from 'vitest';
import type { ChatCompletionParams } from './chat-types';
import { codeOf, Harness } from './testing/harness';

const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string', minLength: 1 },
        days: { type: 'integer', minimum: 1, maximum: 7 },
      },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
};
const CLOCK = { type: 'function' as const, function: { name: 'clock' } };
const PERSON = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0, maximum: 150 } },
  required: ['name', 'age'],
  additionalProperties: false,
};
const FORMAT = { type: 'json_schema', json_schema: { name: 'person', schema: PERSON } } as const;

/** What a request is answered: its words, its calls, and why it ended. */
async function answer(params: Partial<ChatCompletionParams>) {
  const harness = await new Harness().loaded();
  const { texts, finishReasons, end } = await harness.ask(params);
  expect(end.type).toBe('done');
  const calls: { name: string; args: string }[] = [];
  for (const event of harness.events) {
    for (const call of event.type === 'delta' ? (event.delta.tool_calls ?? []) : []) {
      calls[call.index] ??= { name: '', args: '' };
      calls[call.index].name += call.function?.name ?? '';
      calls[call.index].args += call.function?.arguments ?? '';
    }
  }
  return { texts, calls, finishReasons };
}

describe('the simulated engine', () => {
  it('calls a tool where a call is required, with arguments that follow its schema', async () => {
    const names = new Set<string>();
    for (let seed = 0; seed < 8; seed++) {
      const tools = [WEATHER, CLOCK];
      const { texts, calls, finishReasons } = await answer({
        tools,
        tool_choice: 'required',
        seed,
      });
      expect(texts).toEqual(['']);
      expect(finishReasons).toEqual(['tool_calls']);
      expect(calls).toHaveLength(1);
      const args: unknown = JSON.parse(calls[0].args);
      expect(args).toEqual(expect.any(Object));
      if (calls[0].name === 'get_weather') {
        expect(args).toEqual({ city: expect.stringMatching(/./), days: expect.any(Number) });
      }
      names.add(calls[0].name);
    }
    expect(names).toEqual(new Set(['get_weather', 'clock']));
  });

  it('calls the tool that is named, or one of those that are allowed', async () => {
    const clock = { type: 'function', function: { name: 'clock' } } as const;
    const allowed = {
      type: 'allowed_tools',
      allowed_tools: { mode: 'required', tools: [clock] },
    } as const;
    for (const tool_choice of [clock, allowed]) {
      for (let seed = 0; seed < 3; seed++) {
        const { calls } = await answer({ tools: [WEATHER, CLOCK], tool_choice, seed });
        expect(calls.map(({ name }) => name)).toEqual(['clock']);
      }
    }
  });

  it('answers in JSON where that is asked for', async () => {
    const { texts, calls, finishReasons } = await answer({ response_format: FORMAT, n: 2 });
    for (const text of texts) {
      expect(JSON.parse(text)).toEqual({ name: expect.any(String), age: expect.any(Number) });
    }
    expect(calls).toEqual([]);
    expect(finishReasons).toEqual(['stop', 'stop']);
    const free = await answer({ response_format: { type: 'json_object' } });
    expect(JSON.parse(free.texts[0])).toEqual(expect.any(Object));
  });

  it('answers in the format where it may call as well', async () => {
    const { texts, calls } = await answer({ tools: [WEATHER], response_format: FORMAT });
    expect(JSON.parse(texts[0])).toEqual({ name: expect.any(String), age: expect.any(Number) });
    expect(calls).toEqual([]);
  });

  it('says the same for the same seed, and another thing for another', async () => {
    const say = async (seed: number) => (await answer({ response_format: FORMAT, seed })).texts[0];
    expect(await say(7)).toBe(await say(7));
    expect(await say(7)).not.toBe(await say(8));
  });

  it.each<[string, Partial<ChatCompletionParams>]>([
    ['nothing is asked for', {}],
    ['tools are there to be used or not', { tools: [WEATHER] }],
    ['no tool may be used', { tools: [WEATHER], tool_choice: 'none' }],
    ['the format is text', { response_format: { type: 'text' } }],
    ['the format is a grammar', { response_format: { type: 'grammar', grammar: 'root ::= "x"' } }],
  ])('answers in prose where %s', async (_, params) => {
    const { texts, calls } = await answer(params);
    expect(texts[0]).toMatch(/^[A-Z][^{}]+$/);
    expect(calls).toEqual([]);
  });

  it('says what it is told to, whatever the form', async () => {
    const told = { simulate: { content: 'Neither.' } };
    const required = await answer({ tools: [WEATHER], tool_choice: 'required', ...told });
    expect(required).toMatchObject({ texts: ['Neither.'], calls: [] });
    expect((await answer({ response_format: FORMAT, ...told })).texts).toEqual(['Neither.']);
  });

  it('stops at max_tokens in the middle of what it makes up', async () => {
    const { finishReasons } = await answer({ response_format: FORMAT, max_tokens: 3 });
    expect(finishReasons).toEqual(['length']);
  });

  it('refuses a schema that nothing satisfies', async () => {
    const harness = await new Harness().loaded();
    const endless = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] };
    const refused = await harness.ask({
      response_format: { type: 'json_schema', json_schema: { schema: endless } },
    });
    expect(codeOf(refused)).toBe('invalid_schema');
  });
});
