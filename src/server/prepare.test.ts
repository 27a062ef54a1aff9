import { describe, expect, it } from 'vitest';
import { loadSimulatedEngine } from '../engine/simulated';
import type { LoadedModel } from '../engine/step-engine';
import type { ChatCompletionParams } from './chat-types';
import { prepareChat } from './prepare';

const MESSAGES = [{ role: 'user' as const, content: 'How many?' }];
const FORMAT = { type: 'json_object' as const };

/** A model whose chat template opens `<think>` for the reply, in the assistant's role as Qwen3.5 does. */
async function thinkingModel(): Promise<LoadedModel> {
  const { model } = await loadSimulatedEngine();
  const roles = { ...model.template.roles, assistant: '<|im_start|>assistant\n<think>' };
  return { ...model, template: { ...model.template, roles } };
}

function prepare(model: LoadedModel, params: Partial<ChatCompletionParams>) {
  return prepareChat('r', { messages: MESSAGES, ...params }, model, 1000);
}

describe('a reply that starts inside the reasoning', () => {
  it('is held to its format from the end of the reasoning on', async () => {
    const { grammar } = prepare(await thinkingModel(), { response_format: FORMAT });
    expect(grammar?.type).toBe('structural_tag');
    expect(JSON.stringify(grammar)).toContain('</think>');
  });

  it('is held to it from the start where thinking is off', async () => {
    const params = { response_format: FORMAT, extra_body: { enable_thinking: false } };
    expect(prepare(await thinkingModel(), params).grammar).toEqual({ type: 'json' });
  });

  it('has its reasoning told apart from the answer', async () => {
    const model = await thinkingModel();
    const [choice] = prepare(model, {}).choices;
    const tokens = [...model.tokenizer.encode('two and two</think>four'), 0];
    const outputs = tokens.map((token) => choice.take({ token }, 1000));
    const text = (field: 'content' | 'reasoning_content') =>
      outputs.map((output) => output?.delta[field] ?? '').join('');
    expect(text('reasoning_content')).toBe('two and two');
    expect(text('content')).toBe('four');
  });
});

describe('an answer that is to be continued', () => {
  const params: Partial<ChatCompletionParams> = {
    messages: [...MESSAGES, { role: 'assistant', content: 'Four, for' }],
    continue_final_message: true,
  };

  it('is what the prompt ends with', async () => {
    const model = await thinkingModel();
    const { promptTokens } = prepare(model, params);
    expect(model.tokenizer.decode(promptTokens)).toMatch(/<\/think>\n\nFour, for$/);
  });

  it('is held to its format at once, and what comes is no reasoning', async () => {
    const model = await thinkingModel();
    const { choices, grammar } = prepare(model, {
      ...params,
      response_format: { type: 'regex', pattern: ' (two|three)' },
    });
    expect(grammar).toEqual({ type: 'ebnf', grammar: expect.stringContaining('root ::= ') });
    const [token] = model.tokenizer.encode(' two');
    expect(choices[0].take({ token }, 1)?.delta).toEqual({ role: 'assistant', content: ' two' });
  });
});

it('the tools of a request are beside its format, and both hold the answer', async () => {
  const { model } = await loadSimulatedEngine();
  const tools = [{ type: 'function' as const, function: { name: 'clock' } }];
  const { grammar } = prepare(model, { tools, response_format: FORMAT });
  expect(JSON.stringify(grammar)).toContain('clock');
  expect(JSON.stringify(grammar)).toContain('json_schema');
  const free = prepare(model, { tools, tool_choice: 'none', response_format: FORMAT });
  expect(free.grammar).toEqual({ type: 'json' });
});
