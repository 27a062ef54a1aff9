import { beforeAll, describe, expect, it } from 'vitest';
import { Grammars } from '../engine/sampling/grammars';
import { loadSimulatedEngine } from '../engine/simulated';
import type { LoadedModel } from '../engine/step-engine';
import { SMALL_VOCABULARY, STOP, tokensOf } from '../engine/testing/small-vocabulary';
import type { ChatCompletionParams, ChatMessage, Tool } from './chat-types';
import { prepareChat, promptOf } from './prepare';
import { Harness } from './testing/harness';
import { readParams } from './validate';

const MESSAGES = [{ role: 'user' as const, content: 'How many?' }];
const FORMAT = { type: 'json_object' } as const;

/** A model whose chat template opens `<think>` for the reply, in the assistant's role as Qwen3.5 does. */
async function thinkingModel(): Promise<LoadedModel> {
  const { model } = await loadSimulatedEngine();
  const roles = { ...model.template.roles, assistant: '<|im_start|>assistant\n<think>' };
  return { ...model, template: { ...model.template, roles } };
}

function prepare(model: LoadedModel, params: Partial<ChatCompletionParams>) {
  const { request } = readParams({ messages: MESSAGES, ...params }, { model: model.id });
  const prompt = promptOf(request, model, { most: 1000 });
  return prepareChat('r', request, model, { longest: 1000, prompt });
}

describe('a reply that starts inside the reasoning', () => {
  it('is held to its format from the end of the reasoning on', async () => {
    const { grammar } = await prepare(await thinkingModel(), { response_format: FORMAT });
    expect(grammar?.type).toBe('structural_tag');
    expect(JSON.stringify(grammar)).toContain('</think>');
  });

  it('is held to it from the start where thinking is off', async () => {
    const params = { response_format: FORMAT, extra_body: { enable_thinking: false } };
    expect((await prepare(await thinkingModel(), params)).grammar).toEqual({ type: 'json' });
  });

  it('has its reasoning told apart from the answer', async () => {
    const model = await thinkingModel();
    const [choice] = (await prepare(model, {})).choices;
    const tokens = [...model.tokenizer.encode('two and two</think>four'), 0];
    const outputs = tokens.map((token) => choice.take({ token }, 1000));
    const text = (field: 'content' | 'reasoning_content') =>
      outputs.map((output) => output?.delta[field] ?? '').join('');
    expect(text('reasoning_content')).toBe('two and two');
    expect(text('content')).toBe('four');
  });
});

/** A model that was taught to think and begins by itself, as Qwen3 does: there is a token for it. */
async function taught(): Promise<LoadedModel> {
  const { model } = await loadSimulatedEngine();
  const { tokenizer } = model;
  const encode = (text: string) =>
    text === '<think>' ? Int32Array.of(9_999) : tokenizer.encode(text);
  return {
    ...model,
    tokenizer: {
      vocabSize: tokenizer.vocabSize,
      encode,
      decode: (ids) => tokenizer.decode(ids),
    },
  };
}

describe('the tools of a model that thinks', () => {
  const tools = [{ type: 'function' as const, function: { name: 'clock' } }];
  const CALL = '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>';
  const THOUGHT = 'Some models write <tool_call> or {"name": "clock", and mean nothing by it.';
  let grammars: Grammars;
  beforeAll(async () => {
    grammars = await Grammars.create(SMALL_VOCABULARY);
  });

  /** What comes of a text that the request's grammar lets through; undefined where it does not. */
  async function answer(model: LoadedModel, params: Partial<ChatCompletionParams>, text: string) {
    const { grammar, choices } = await prepare(model, { tools, ...params });
    if (grammar === undefined) throw new Error('Nothing holds the answer.');
    const matcher = await grammars.matcher(grammar);
    const follows = [...tokensOf(text), STOP].every((token) => matcher.accept(token));
    if (!follows) return undefined;
    const deltas = [...model.tokenizer.encode(text), 0].map(
      (token) => choices[0].take({ token }, 1000)?.delta,
    );
    return {
      reasoning: deltas.map((delta) => delta?.reasoning_content ?? '').join(''),
      content: deltas.map((delta) => delta?.content ?? '').join(''),
      calls: deltas.flatMap((delta) => delta?.tool_calls?.[0]?.function?.name ?? []),
    };
  }

  it.each([
    ['the model', taught, `<think>\n${THOUGHT}`],
    ['the template', thinkingModel, THOUGHT],
  ])('are not called in the reasoning that %s begins', async (_, model, thought) => {
    const reasoning = THOUGHT;
    for (const params of [{}, { response_format: FORMAT }, { tool_choice: 'required' as const }]) {
      const said = await answer(await model(), params, `${thought}\n</think>\n\n${CALL}`);
      expect(said).toEqual({ reasoning, content: '', calls: ['clock'] });
    }
    const words = await answer(await model(), {}, `${thought}\n</think>\n\nIt is noon.`);
    expect(words).toEqual({ reasoning, content: 'It is noon.', calls: [] });
    const json = await answer(
      await model(),
      { response_format: FORMAT },
      `${thought}\n</think>\n\n{"a": 1}`,
    );
    expect(json).toEqual({ reasoning, content: '{"a": 1}', calls: [] });
  });

  it('are held to their grammar after it', async () => {
    const required = { tool_choice: 'required' as const };
    for (const [model, begin] of [
      [await taught(), '<think>\n'],
      [await thinkingModel(), ''],
    ] as const) {
      const afterThought = (text: string) => `${begin}Hm.\n</think>\n\n${text}`;
      expect(await answer(model, {}, afterThought('<tool_call>whatever'))).toBeUndefined();
      expect(await answer(model, required, afterThought('It is noon.'))).toBeUndefined();
      expect(await answer(model, required, `${begin}Hm.`)).toBeUndefined();
    }
  });

  it('may be called without a thought, and at once where thinking is off', async () => {
    const called = { reasoning: '', content: '', calls: ['clock'] };
    const required = { tool_choice: 'required' as const };
    expect(await answer(await taught(), required, CALL)).toEqual(called);
    const off = { ...required, extra_body: { enable_thinking: false } };
    expect(await answer(await taught(), off, CALL)).toEqual(called);
    expect(await answer(await taught(), off, `<think>Hm.</think>${CALL}`)).toBeUndefined();
  });

  it('leave a model that does not think no room for it, but in words', async () => {
    const { model } = await loadSimulatedEngine();
    const thought = `<think>\n${THOUGHT}\n</think>\n\n${CALL}`;
    expect(await answer(model, { tool_choice: 'required' }, thought)).toBeUndefined();
    expect((await answer(model, {}, thought))?.calls).toEqual(['clock']);
    const asked = { tool_choice: 'required' as const, extra_body: { enable_thinking: true } };
    expect((await answer(model, asked, thought))?.calls).toEqual(['clock']);
  });
});

describe('an answer that is to be continued', () => {
  const params: Partial<ChatCompletionParams> = {
    messages: [...MESSAGES, { role: 'assistant', content: 'Four, for' }],
    continue_final_message: true,
  };

  it('is what the prompt ends with', async () => {
    const model = await thinkingModel();
    const { promptTokens } = await prepare(model, params);
    expect(model.tokenizer.decode(promptTokens)).toMatch(/<\/think>\n\nFour, for$/);
  });

  it('is held to its format at once, and what comes is no reasoning', async () => {
    const model = await thinkingModel();
    const { choices, grammar } = await prepare(model, {
      ...params,
      response_format: { type: 'regex', pattern: ' (two|three)' },
    });
    expect(grammar).toMatchObject({ type: 'regex', pattern: ' (two|three)' });
    const [token] = model.tokenizer.encode(' two');
    expect(choices[0].take({ token }, 1)?.delta).toEqual({ role: 'assistant', content: ' two' });
  });
});

it('the tools of a request are beside its format, and both hold the answer', async () => {
  const { model } = await loadSimulatedEngine();
  const tools = [{ type: 'function' as const, function: { name: 'clock' } }];
  const { grammar } = await prepare(model, { tools, response_format: FORMAT });
  expect(JSON.stringify(grammar)).toContain('clock');
  expect(JSON.stringify(grammar)).toContain('json_schema');
  const free = await prepare(model, { tools, tool_choice: 'none', response_format: FORMAT });
  expect(free.grammar).toEqual({ type: 'json' });
});

describe('reasoning_effort', () => {
  const promptOf = async (model: LoadedModel, params: Partial<ChatCompletionParams>) =>
    model.tokenizer.decode((await prepare(model, params)).promptTokens);

  it.each(['none', 'minimal'] as const)('%s switches a model’s thinking off', async (effort) => {
    const off = await promptOf(await taught(), { reasoning_effort: effort });
    expect(off).toMatch(/<think>\n\n<\/think>\n\n$/);
    expect(off).toBe(await promptOf(await taught(), { extra_body: { enable_thinking: false } }));
  });

  it('counts after enable_thinking', async () => {
    const extra_body = { enable_thinking: true };
    const on = await promptOf(await taught(), { reasoning_effort: 'none', extra_body });
    expect(on).not.toContain('</think>');
  });

  it('leaves a model alone that does not think, and one that may', async () => {
    const { model } = await loadSimulatedEngine();
    expect(await promptOf(model, { reasoning_effort: 'none' })).toBe(await promptOf(model, {}));
    const off = { extra_body: { enable_thinking: false } };
    expect(await promptOf(model, off)).toBe(await promptOf(model, {}));
    const begun = {
      messages: [...MESSAGES, { role: 'assistant' as const, content: 'Four' }],
      continue_final_message: true,
    };
    expect(await promptOf(model, { ...begun, ...off })).toBe(await promptOf(model, begun));
    const thinker = await taught();
    expect(await promptOf(thinker, { reasoning_effort: 'high' })).toBe(await promptOf(thinker, {}));
  });
});

describe('a conversation so far', () => {
  const call = (args: string) =>
    ({ id: 'c', type: 'function', function: { name: 'clock', arguments: args } }) as const;

  it.each([
    ['', '{}'],
    [' \n', '{}'],
    ['{"a": 1}', '{"a": 1}'],
  ])('reads a call’s arguments %j as %j', async (args, read) => {
    const { model } = await loadSimulatedEngine();
    const messages: ChatMessage[] = [
      ...MESSAGES,
      { role: 'assistant', tool_calls: [call(args)] },
      { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: 'Noon.' }] },
    ];
    const prompt = model.tokenizer.decode((await prepare(model, { messages })).promptTokens);
    expect(prompt).toContain(`{"name": "clock", "arguments": ${read}}\n</tool_call>`);
    expect(prompt).toContain('Noon.');
  });

  it('shows a refusal as what was said', async () => {
    const { model } = await loadSimulatedEngine();
    const messages: ChatMessage[] = [
      ...MESSAGES,
      { role: 'assistant', content: null, refusal: 'I will not.' },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'Nor now.' }] },
      ...MESSAGES,
    ];
    const prompt = model.tokenizer.decode((await prepare(model, { messages })).promptTokens);
    expect(prompt).toContain('assistant\nI will not.<|im_end|>');
    expect(prompt).toContain('assistant\nNor now.<|im_end|>');
  });

  it('does not tell the model whether a tool is strict', async () => {
    const { model } = await loadSimulatedEngine();
    const tool = (strict?: boolean): Tool => ({
      type: 'function',
      function: { name: 'f', strict },
    });
    const prompt = async (strict?: boolean) =>
      (await prepare(model, { tools: [tool(strict)] })).promptTokens;
    expect(await prompt(true)).toEqual(await prompt());
  });
});

it('an answer that is said to be longer than the model’s window is cut off there, not refused', async () => {
  const harness = await new Harness().loaded();
  const content = 'word '.repeat(60_000);
  const [chat] = await Promise.all([harness.ask({ simulate: { content } })]);
  expect(chat.finishReasons).toEqual(['length']);
  expect(content.startsWith(chat.texts[0])).toBe(true);
  const text = await harness.submitText({ simulate: { content } }).answer;
  expect(text.finishReasons).toEqual(['length']);
});
