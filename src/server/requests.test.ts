/** Requests as OpenAI's users write them (openai 7.57.0, `resources/chat/completions`), and WebLLM's. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatCompletionParams } from './chat-types';
import type { Outcome } from './host';
import { TempoServer } from './server';
import type { Receipt } from './server-types';

/** As a caller without types has it. */
type Untyped = Record<string, unknown>;

let server: TempoServer;
let ids = 0;
beforeAll(async () => {
  server = new TempoServer();
  const loaded = await server.load({ engine: 'simulated', model: 'laptop-gpu', policy: 'tempo' });
  expect(loaded.ok).toBe(true);
});
afterAll(() => server.dispose());

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] };

/** What the server says to a request. It is aborted at once where it is taken. */
async function submit(params: Untyped): Promise<Outcome<Receipt>> {
  const id = `r${ids++}`;
  const outcome = await server.submit({
    id,
    app: 'app',
    slo: { class: 'best-effort' },
    params: Object.assign<Partial<ChatCompletionParams>, Untyped>(
      {},
      params,
    ) as ChatCompletionParams,
  });
  await server.abort(id);
  return outcome;
}

async function warningsOf(params: Untyped): Promise<string[]> {
  const outcome = await submit({ ...HELLO, ...params });
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome.value.warnings;
}

async function errorOf(params: Untyped) {
  const outcome = await submit({ ...HELLO, ...params });
  if (outcome.ok) throw new Error('It was taken.');
  return outcome.error;
}

const TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
    strict: true,
  },
};
const SCHEMA_FORMAT = {
  type: 'json_schema',
  json_schema: {
    name: 'answer',
    description: 'What it is.',
    schema: {
      type: 'object',
      properties: { answer: { type: 'string' } },
      required: ['answer'],
      additionalProperties: false,
    },
    strict: true,
  },
};

/** Fields of `ChatCompletionCreateParamsBase` that are heeded, with values. */
const HEEDED: Readonly<Record<string, readonly unknown[]>> = {
  model: ['laptop-gpu'],
  frequency_penalty: [-2, 0, 1.5],
  logit_bias: [{}, { '1': -100, '2': 0.5 }],
  logprobs: [true, false],
  max_completion_tokens: [1, 4096],
  max_tokens: [1, 4096],
  n: [1, 2],
  parallel_tool_calls: [true, false],
  presence_penalty: [-2, 0, 1.5],
  reasoning_effort: ['none', 'minimal'],
  response_format: [{ type: 'text' }, { type: 'json_object' }, SCHEMA_FORMAT],
  seed: [0, -1, 12_345_678_901],
  stop: ['\n', [], ['a', 'b']],
  stream: [true, false],
  stream_options: [{}, { include_usage: true }, { include_obfuscation: false }],
  temperature: [0, 1, 2],
  tool_choice: ['none', 'auto'],
  tools: [[TOOL], [{ type: 'function', function: { name: 'clock' } }]],
  top_p: [0.1, 1],
};

/** Those that are ignored, with a value that says something. */
const IGNORED: Untyped = {
  metadata: { session: '1' },
  prediction: { type: 'content', content: 'Hello.' },
  prompt_cache_key: 'a',
  prompt_cache_options: { mode: 'implicit' },
  prompt_cache_retention: '24h',
  reasoning_effort: 'high',
  safety_identifier: 'user-1',
  service_tier: 'priority',
  store: true,
  user: 'user-1',
  verbosity: 'low',
};

/** Those that would make the answer another. */
const REFUSED: Untyped = {
  audio: { format: 'wav', voice: 'alloy' },
  function_call: 'auto',
  functions: [{ name: 'clock' }],
  modalities: ['text', 'audio'],
  moderation: { model: 'omni-moderation-latest' },
  web_search_options: {},
};

describe('a field of OpenAI’s', () => {
  const heeded = Object.entries(HEEDED).flatMap(([name, values]) =>
    values.map((value) => [name, value] as const),
  );

  it.each(heeded)('%s: %j is taken, and nothing is said of it', async (name, value) => {
    expect(await warningsOf({ [name]: value })).toEqual([]);
  });

  it.each(Object.entries(IGNORED))(
    '%s: %j is ignored, and a sentence says so',
    async (name, value) => {
      const warnings = await warningsOf({ [name]: value });
      expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${name} is ignored: .+\\.$`))]);
      expect(await warningsOf({ [name]: value })).toEqual(warnings); // the same words, so that it is told once
    },
  );

  it.each(Object.entries(REFUSED))(
    '%s: %j is refused, and a sentence says what to do',
    async (name, value) => {
      const error = await errorOf({ [name]: value });
      expect(error).toMatchObject({ code: 'invalid_request', param: name });
      expect(error.message).toMatch(new RegExp(`^${name} is not supported: .{20,}\\.$`));
    },
  );

  it.each<[string, unknown]>([
    ['store', false],
    ['service_tier', 'auto'],
    ['service_tier', 'default'],
    ['modalities', ['text']],
  ])('%s: %j asks for nothing, and nothing is said of it', async (name, value) => {
    expect(await warningsOf({ [name]: value })).toEqual([]);
  });

  it('may be ignored in many places, and is told of once', async () => {
    const breakpoint = { prompt_cache_breakpoint: { mode: 'explicit' } };
    const part = { type: 'text', text: 'x', ...breakpoint };
    const messages = [
      { role: 'system', content: [part, part], name: 'rules' },
      { role: 'user', content: [part], name: 'Ada' },
      { role: 'assistant', content: [part], name: 'bot' },
      { role: 'user', content: [part] },
    ];
    const warnings = await warningsOf({ messages });
    expect(warnings).toHaveLength(2);
    expect(warnings).toContain(
      'messages[].name is ignored: only the names of users are shown to the model.',
    );
  });
});

describe('a field of WebLLM’s and others’', () => {
  it.each<[string, unknown, number]>([
    ['repetition_penalty', 1.1, 0],
    ['ignore_eos', true, 0],
    ['top_k', 40, 0],
    ['continue_final_message', false, 0],
    ['extra_body', { enable_thinking: false }, 0],
    ['extra_body', { enable_latency_breakdown: true }, 1],
    ['extra_body', { resumable: { enabled: true } }, 1],
    ['extra_body', { resumable: { enabled: false }, enable_latency_breakdown: false }, 0],
    ['response_format', { type: 'json_object', schema: '{"type":"object"}' }, 0],
    ['response_format', { type: 'regex', pattern: '(yes|no)' }, 0],
    ['response_format', { type: 'grammar', grammar: 'root ::= "yes"' }, 0],
    ['response_format', { type: 'structural_tag', structural_tag: { type: 'any_text' } }, 0],
    ['response_format', { type: 'structural_tag', structural_tag: '{"type":"any_text"}' }, 0],
    ['response_format', {}, 0],
  ])('%s: %j is taken', async (name, value, warned) => {
    expect(await warningsOf({ [name]: value })).toHaveLength(warned);
  });
});

const text = fc.string({ maxLength: 20 });
const textPart = fc.record({ type: fc.constant('text'), text });
const refusalPart = fc.record({ type: fc.constant('refusal'), refusal: text });
const parts = <T>(part: fc.Arbitrary<T>) => fc.array(part, { minLength: 1, maxLength: 3 });
const content = fc.oneof(text, parts(textPart));
const participant = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
const optional = (fields: Record<string, fc.Arbitrary<unknown>>, ...requiredKeys: string[]) =>
  fc.record(fields, { requiredKeys });

const instruction = optional(
  { role: fc.constantFrom('system', 'developer'), content, name: participant },
  'role',
  'content',
);
const question = optional(
  { role: fc.constant('user'), content, name: participant },
  'role',
  'content',
);
const answer = optional(
  {
    role: fc.constant('assistant'),
    content: fc.oneof(text, parts(fc.oneof(textPart, refusalPart))),
    name: participant,
    // What an answer holds, and the next request brings back.
    refusal: fc.constant(null),
    annotations: fc.constant([]),
    audio: fc.constant(null),
    function_call: fc.constant(null),
    reasoning_content: text,
  },
  'role',
  'content',
);
const refusal = fc.record({
  role: fc.constant('assistant'),
  content: fc.constant(null),
  refusal: text,
});
/** Calls, and a result for each. */
const calls = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('', '{}', '{"city": "Oslo"}', '{"ci'), content), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.nat(),
    fc.constantFrom({}, { content: null }, { content: 'Let me see.' }),
  )
  .map(([made, number, said]) => [
    {
      role: 'assistant',
      ...said,
      tool_calls: made.map(([args], i) => ({
        id: `call-${number}-${i}`,
        type: 'function',
        function: { name: 'get_weather', arguments: args },
      })),
    },
    ...made.map(([, result], i) => ({
      role: 'tool',
      tool_call_id: `call-${number}-${i}`,
      content: result,
    })),
  ]);
const messages = fc
  .array(
    fc.oneof(
      ...[instruction, question, answer, refusal].map((one) => one.map((message) => [message])),
      calls.map((list): Untyped[] => list),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((lists) => lists.flat());

/** A request of any of the heeded and ignored fields. */
const request = fc
  .tuple(
    messages,
    optional(
      Object.fromEntries([
        ...Object.entries(IGNORED).map(([name, value]) => [name, fc.constant(value)] as const),
        ...Object.entries(HEEDED).map(
          ([name, values]) => [name, fc.constantFrom(...values)] as const,
        ),
      ]),
    ),
    fc.option(fc.constantFrom(0, 3), { nil: undefined }),
  )
  .map(([said, fields, alternatives]) => ({
    ...fields,
    messages: said,
    ...(alternatives !== undefined && { logprobs: true, top_logprobs: alternatives }),
  }));

const FIELDS = [
  ...Object.keys({ ...HEEDED, ...IGNORED, ...REFUSED }),
  ...['top_logprobs', 'repetition_penalty', 'ignore_eos', 'extra_body'],
  ...['top_k', 'continue_final_message'],
  ...['slo', 'stage', 'simulate'],
];

describe('any request', () => {
  it('that is valid at OpenAI is taken', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (params) => {
        const outcome = await submit(params);
        expect(outcome).toMatchObject({ ok: true });
      }),
      { numRuns: 300 },
    );
  });

  it('is the same with a field set to null or undefined as without it', async () => {
    await fc.assert(
      fc.asyncProperty(
        request,
        fc.subarray(FIELDS),
        fc.constantFrom(null, undefined),
        async (params: Untyped, names, nothing) => {
          const without = Object.entries(params).filter(([name]) => !names.includes(name));
          const absent = await submit(Object.fromEntries(without));
          const unset = Object.fromEntries(names.map((name) => [name, nothing]));
          const given = await submit({ ...params, ...unset });
          // A choice of tools without tools is refused, both ways.
          expect(nameless(given)).toEqual(nameless(absent));
        },
      ),
    );
  });

  it('with a field that nobody knows is refused by its name', async () => {
    const name = fc
      .stringMatching(/^[a-z_]{3,12}$/)
      .filter((one) => !FIELDS.includes(one) && one !== 'messages');
    await fc.assert(
      fc.asyncProperty(
        request,
        name,
        fc.constantFrom(1, 'x', {}, []),
        async (params, unknown, value) => {
          const error = await errorOf({ ...params, [unknown]: value });
          expect(error).toMatchObject({ code: 'invalid_request', param: unknown });
          expect(error.message).toContain(`"${unknown}"`);
        },
      ),
    );
  });
});

/** What is wrong with a request; anything else would be ours. */
const CALLERS_CODES = [
  ...['invalid_request', 'invalid_slo', 'invalid_schema', 'unknown_model', 'unknown_tool'],
  ...['unsupported', 'context_length_exceeded'],
];

/** `value` with another in the place of one of those that it is made of. */
function spoilt(value: unknown, at: readonly number[], by: unknown): unknown {
  const [place, ...rest] = at;
  if (place === undefined || typeof value !== 'object' || value === null) return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[place % keys.length];
  const inner = spoilt(Reflect.get(value, key), rest, by);
  if (Array.isArray(value)) return value.map((one, i) => (String(i) === key ? inner : one));
  return { ...value, [key]: inner };
}

it('any value in the wrong place is taken, or refused as the caller’s mistake by its name', async () => {
  await fc.assert(
    fc.asyncProperty(
      request.map((params) => ({ simulate: { content: 'x' }, extra_body: {}, ...params })),
      fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
      fc.anything(),
      async (params, at, by) => {
        const outcome = await submit(Object(spoilt(params, at, by)));
        if (outcome.ok) return;
        expect(CALLERS_CODES).toContain(outcome.error.code);
        expect(outcome.error.param).toEqual(expect.any(String));
        expect(outcome.error.message).toMatch(/\.$/);
      },
    ),
    { numRuns: 500 },
  );
});

/** A receipt but for the name of its request and what it may cost. */
function nameless(outcome: Outcome<Receipt>) {
  if (!outcome.ok) return outcome.error;
  const { promptTokens, warnings } = outcome.value;
  return { promptTokens, warnings };
}

describe('within a field', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
  const withCall = (one: unknown) => ({
    messages: [...HELLO.messages, { role: 'assistant', tool_calls: [one] }],
  });
  const user = (fields: Untyped) => ({ messages: [{ role: 'user', content: 'x', ...fields }] });

  it.each<[string, Untyped]>([
    ['stream_options.x', { stream_options: { x: 1 } }],
    ['extra_body.x', { extra_body: { x: 1 } }],
    ['response_format.x', { response_format: { type: 'text', x: 1 } }],
    [
      'response_format.json_schema.x',
      { response_format: { type: 'json_schema', json_schema: { x: 1 } } },
    ],
    ['simulate.x', { simulate: { x: 1 } }],
    ['simulate.tool_calls[0].x', { simulate: { tool_calls: [{ name: 'f', x: 1 }] } }],
    ['tools[0].x', { tools: [{ ...TOOL, x: 1 }] }],
    ['tools[0].function.x', { tools: [{ ...TOOL, function: { ...TOOL.function, x: 1 } }] }],
    [
      'tool_choice.function.x',
      { tools: [TOOL], tool_choice: { type: 'function', function: { name: 'get_weather', x: 1 } } },
    ],
    ['messages[0].x', user({ x: 1 })],
    ['messages[0].tool_calls', user({ tool_calls: [call] })],
    ['messages[0].content[0].x', user({ content: [{ type: 'text', text: 'x', x: 1 }] })],
    ['messages[1].tool_calls[0].x', withCall({ ...call, x: 1 })],
    [
      'messages[1].tool_calls[0].function.x',
      withCall({ ...call, function: { ...call.function, x: 1 } }),
    ],
    [
      'messages[0].__proto__',
      { messages: [JSON.parse('{"role":"user","content":"x","__proto__":{}}')] },
    ],
  ])('%s is refused by its name', async (param, params) => {
    const error = await errorOf(params);
    expect(error).toMatchObject({ code: 'invalid_request', param });
    expect(error.message).toBe(
      `There is no field "${param}". Check its spelling, or leave it out.`,
    );
  });

  it('slo.deadline is refused by its name', async () => {
    const slo = { class: 'latency', ttft: 500, tbt: 50, deadline: 1000 };
    expect(await errorOf({ slo })).toMatchObject({ code: 'invalid_slo', param: 'slo.deadline' });
  });

  it('null means that it is not set', async () => {
    const nulls: Untyped = {
      stream_options: { include_usage: null, include_obfuscation: null },
      extra_body: { enable_thinking: null, enable_latency_breakdown: null, resumable: null },
      response_format: {
        type: 'json_schema',
        json_schema: { name: null, description: null, schema: null, strict: null },
      },
      tools: [
        {
          type: 'function',
          function: { name: 'f', description: null, parameters: null, strict: null },
        },
      ],
      simulate: { content: null, tool_calls: null },
      slo: { class: 'best-effort', ttft: null, ttlt: null },
      messages: [
        { role: 'user', content: 'x', name: null },
        { role: 'assistant', content: null, refusal: null, name: null, tool_calls: [call] },
        { role: 'tool', content: 'x', tool_call_id: 'c' },
        { role: 'assistant', content: 'x', tool_calls: null },
      ],
    };
    expect(await warningsOf(nulls)).toEqual([]);
  });
});

describe('what a message holds', () => {
  it('reads the same in parts and as one text', async () => {
    const lines = ['First.', 'Then.'];
    const inParts = lines.map((line) => ({ type: 'text', text: line }));
    const tokens = async (content: unknown) => {
      const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
      const outcome = await submit({
        messages: [
          { role: 'developer', content },
          { role: 'user', content },
          { role: 'assistant', content, tool_calls: [call] },
          { role: 'tool', content, tool_call_id: 'c' },
        ],
      });
      return outcome.ok && outcome.value.promptTokens;
    };
    expect(await tokens(inParts)).toBeGreaterThan(0);
    expect(await tokens(inParts)).toBe(await tokens('First.\nThen.'));
  });

  it.each(['input_audio', 'file'])('is not %s: the model is named', async (type) => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type, [type]: { url: 'data:,' } },
    ];
    const error = await errorOf({ messages: [{ role: 'user', content }] });
    expect(error).toMatchObject({ code: 'unsupported', param: 'messages[0].content[1]' });
    expect(error.message).toContain('The model "laptop-gpu" reads text and images only');
  });
});
