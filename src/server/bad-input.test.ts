import { describe, expect, it } from 'vitest';
import { TempoError } from '../scheduler';
import type { ChatCompletionParams } from './chat-types';
import { codeOf, Harness } from './harness.test-data';
import type { LoadConfig, Submission } from './server-types';

const GOOD = { simulate: { content: 'Everyone else goes on unharmed, word for word.' } };

/** As a caller without types has it. */
type Untyped<T> = { [Key in keyof T]?: unknown };

function unchecked<T extends object>(values: Untyped<T>): Partial<T> {
  return Object.assign<Partial<T>, object>({}, values);
}

const user = { role: 'user', content: 'Hello' };
const tool = { type: 'function', function: { name: 'clock' } };

const BAD_PARAMS: [string, Untyped<ChatCompletionParams>, string, string][] = [
  ['no messages', { messages: [] }, 'invalid_request', 'messages'],
  ['messages that are none', { messages: 'Hello' }, 'invalid_request', 'messages'],
  ['a message that is none', { messages: [null] }, 'invalid_request', 'messages[0]'],
  [
    'an unknown role',
    { messages: [user, { role: 'narrator', content: 'x' }] },
    'invalid_request',
    'messages[1].role',
  ],
  ['no content', { messages: [{ role: 'user' }] }, 'invalid_request', 'messages[0].content'],
  [
    'content in parts',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] },
    'invalid_request',
    'messages[0].content',
  ],
  [
    'a system message that is not first',
    { messages: [user, { role: 'system', content: 'x' }, user] },
    'invalid_request',
    'messages[1].role',
  ],
  [
    'a tool result that nobody asked for',
    { messages: [user, { role: 'tool', content: 'x', tool_call_id: 'c9' }] },
    'invalid_request',
    'messages[1].tool_call_id',
  ],
  [
    'a prompt longer than the context window',
    { messages: [{ role: 'user', content: 'word '.repeat(5000) }] },
    'context_length_exceeded',
    'messages',
  ],
  ['another model', { model: 'gpt-4o' }, 'unknown_model', 'model'],
  ['no tokens at all', { max_tokens: 0 }, 'invalid_request', 'max_tokens'],
  ['half a token', { max_tokens: 1.5 }, 'invalid_request', 'max_tokens'],
  ['endless tokens', { max_tokens: 1e12 }, 'invalid_request', 'max_tokens'],
  ['tokens as text', { max_tokens: '10' }, 'invalid_request', 'max_tokens'],
  ['a negative temperature', { temperature: -1 }, 'invalid_request', 'temperature'],
  ['a boiling temperature', { temperature: 100 }, 'invalid_request', 'temperature'],
  ['no temperature that is a number', { temperature: NaN }, 'invalid_request', 'temperature'],
  ['top_p of nothing', { top_p: 0 }, 'invalid_request', 'top_p'],
  ['the likeliest half token', { top_k: 0.5 }, 'invalid_request', 'top_k'],
  ['a penalty beyond its range', { presence_penalty: 3 }, 'invalid_request', 'presence_penalty'],
  ['no repetition at all', { repetition_penalty: 0 }, 'invalid_request', 'repetition_penalty'],
  ['no choices', { n: 0 }, 'invalid_request', 'n'],
  ['a thousand choices', { n: 1000 }, 'invalid_request', 'n'],
  ['half a seed', { seed: 0.5 }, 'invalid_request', 'seed'],
  ['a bias out of range', { logit_bias: { 1: 200 } }, 'invalid_request', 'logit_bias[1]'],
  ['a bias on no token', { logit_bias: { x: 1 } }, 'invalid_request', 'logit_bias[x]'],
  [
    'a bias on a token too far',
    { logit_bias: { 99999999: 1 } },
    'invalid_request',
    'logit_bias[99999999]',
  ],
  [
    'too many alternatives',
    { logprobs: true, top_logprobs: 21 },
    'invalid_request',
    'top_logprobs',
  ],
  ['alternatives to nothing', { top_logprobs: 3 }, 'invalid_request', 'top_logprobs'],
  ['an empty stop string', { stop: ['a', ''] }, 'invalid_request', 'stop'],
  ['tools that are none', { tools: 'clock' }, 'invalid_request', 'tools'],
  ['a tool that is none', { tools: [null] }, 'invalid_request', 'tools[0].function'],
  [
    'a tool with a strange name',
    { tools: [{ type: 'function', function: { name: 'a b' } }] },
    'invalid_request',
    'tools[0].function.name',
  ],
  ['two tools of a name', { tools: [tool, tool] }, 'invalid_request', 'tools[1].function.name'],
  [
    'the choice of an unknown tool',
    { tools: [tool], tool_choice: { type: 'function', function: { name: 'hammer' } } },
    'unknown_tool',
    'tool_choice.function.name',
  ],
  ['a call without tools', { tool_choice: 'required' }, 'invalid_request', 'tool_choice'],
  ['a strange tool choice', { tools: [tool], tool_choice: 7 }, 'invalid_request', 'tool_choice'],
  [
    'a strange format',
    { response_format: { type: 'xml' } },
    'invalid_request',
    'response_format.type',
  ],
  [
    'a format without its schema',
    { response_format: { type: 'json_schema' } },
    'invalid_request',
    'response_format.json_schema',
  ],
  [
    'a schema that cannot be held to',
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'x', schema: { type: 'object', not: {} } },
      },
    },
    'invalid_schema',
    'response_format.json_schema.schema.not',
  ],
  [
    'a pattern that is none',
    { response_format: { type: 'regex' } },
    'invalid_request',
    'response_format.pattern',
  ],
  [
    'a pattern that cannot be held to',
    { response_format: { type: 'regex', pattern: '(?=ahead)' } },
    'invalid_schema',
    'response_format.pattern',
  ],
  [
    'the continuation of a question',
    { continue_final_message: true },
    'invalid_request',
    'messages[0].role',
  ],
  ['a stage that is no label', { stage: 'x'.repeat(100) }, 'invalid_request', 'stage'],
  ['an SLO of its own without a class', { slo: {} }, 'invalid_slo', 'slo.class'],
];

const SLO_ERRORS: [string, Partial<Submission>, string, string][] = [
  ['a negative TTFT', { slo: { class: 'latency', ttft: -1, tbt: 50 } }, 'invalid_slo', 'slo.ttft'],
  ['no TBT', { slo: { class: 'latency', ttft: 1, tbt: 0 } }, 'invalid_slo', 'slo.tbt'],
  ['a deadline in a year', { slo: { class: 'deadline', ttlt: 3e10 } }, 'invalid_slo', 'slo.ttlt'],
  ['a deadline of NaN', { slo: { class: 'deadline', ttlt: NaN } }, 'invalid_slo', 'slo.ttlt'],
  ['a program that was never started', { program: 'p9' }, 'program_ended', 'program'],
  ['the program class without one', { slo: { class: 'program' } }, 'invalid_slo', 'slo'],
  ['an app without a name', { app: '' }, 'invalid_request', 'app'],
];

describe('bad input', () => {
  it.each(BAD_PARAMS)('%s: named, and nobody else notices', async (_, bad, code, param) => {
    const harness = await new Harness().loaded();
    const good = harness.submit(GOOD);
    await good.receipt;
    const outcome = await harness.submit(unchecked(bad)).receipt;
    expect(outcome).toMatchObject({ ok: false, error: { code, param } });
    if (!outcome.ok) expect(outcome.error.message).toMatch(/.{20,}\.$/s);
    expect((await good.answer).texts).toEqual([GOOD.simulate.content]);
    const { metrics } = await harness.snapshot();
    expect(metrics.total).toMatchObject({ submitted: 1, finished: 1 });
  });

  it.each(SLO_ERRORS)('%s: named, and nobody else notices', async (_, bad, code, param) => {
    const harness = await new Harness().loaded();
    const good = harness.submit(GOOD);
    const outcome = await harness.submit({}, bad).receipt;
    expect(outcome).toMatchObject({ ok: false, error: { code, param } });
    expect((await good.answer).texts).toEqual([GOOD.simulate.content]);
  });

  it('an id that is taken: named, and the first of the name goes on', async () => {
    const harness = await new Harness().loaded();
    const first = harness.submit(GOOD, { id: 'x' });
    const second = await harness.server.submit({
      id: 'x',
      app: 'chat',
      slo: { class: 'best-effort' },
      params: { messages: [{ role: 'user', content: 'Hello' }] },
    });
    expect(second).toMatchObject({ ok: false, error: { code: 'invalid_request', param: 'id' } });
    expect((await first.answer).texts).toEqual([GOOD.simulate.content]);
  });

  it('an engine that refuses a grammar: named before anything is queued', async () => {
    const harness = await new Harness().loaded();
    Object.assign(harness.device, {
      checkGrammar: async () => {
        throw new TempoError('invalid_schema', 'The grammar does not compile.');
      },
    });
    const bad = await harness.ask({ response_format: { type: 'grammar', grammar: 'root ::= ' } });
    expect(codeOf(bad)).toBe('invalid_schema');
    expect((await harness.snapshot()).metrics.total.submitted).toBe(0);
  });
});

describe('a bad load', () => {
  const BAD_LOADS: [string, Untyped<LoadConfig>, string, string][] = [
    ['an unknown model', { model: 'gpt-4o' }, 'unknown_model', 'model'],
    ['an unknown policy', { policy: 'random' }, 'unknown_policy', 'policy'],
    ['an unknown engine', { engine: 'steam' }, 'invalid_request', 'engine'],
    ['a share beyond 1', { bestEffortShare: 2 }, 'invalid_request', 'bestEffortShare'],
    ['no room for waiting', { maxWaiting: 0 }, 'invalid_request', 'maxWaiting'],
    ['a word for a choice', { rejectHopeless: 'yes' }, 'invalid_request', 'rejectHopeless'],
    ['a weightless app', { appWeights: { chat: 0 } }, 'invalid_request', 'appWeights.chat'],
  ];

  it.each(BAD_LOADS)('%s: named, and what runs goes on', async (_, bad, code, param) => {
    const harness = await new Harness().loaded();
    const good = harness.submit(GOOD);
    await good.receipt;
    const outcome = await harness.load(unchecked(bad));
    expect(outcome).toMatchObject({ ok: false, error: { code, param } });
    expect((await good.answer).texts).toEqual([GOOD.simulate.content]);
    expect(harness.states.at(-1)?.phase).toBe('ready');
  });
});
