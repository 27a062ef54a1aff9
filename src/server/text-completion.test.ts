import { describe, expect, it } from 'vitest';
import { loadSimulatedEngine } from '../engine/simulated';
import type { LoadedModel } from '../engine/step-engine';
import { prepareText } from './prepare-text';
import type { ChatSubmission } from './server-types';
import { codeOf, Harness } from './testing/harness';
import type { TextCompletionParams } from './text-types';

/** As a caller without types has it. */
function unchecked<T extends object>(values: Record<string, unknown>): Partial<T> {
  return Object.assign<Partial<T>, object>({}, values);
}

const STORY = 'Once upon a time there was';
const model = async (): Promise<LoadedModel> => (await loadSimulatedEngine()).model;

describe('a text completion', () => {
  it('is fed the prompt as it stands, without chat template or prefix', async () => {
    const loaded = await model();
    const template = { ...loaded.template, system_prefix_token_ids: [1, 2] };
    const { promptTokens } = prepareText('r', { prompt: STORY }, { ...loaded, template }, 1000);
    expect([...promptTokens]).toEqual([...loaded.tokenizer.encode(STORY)]);
  });

  it.each<[string, (tokens: number[]) => TextCompletionParams['prompt']]>([
    ['a text', () => STORY],
    ['a text in a list', () => [STORY]],
    ['token ids', (tokens) => tokens],
    ['token ids in a list', (tokens) => [tokens]],
  ])('takes %s', async (_, promptOf) => {
    const harness = await new Harness().loaded();
    const tokens = [...harness.device.model.tokenizer.encode(STORY)];
    const { id, answer } = harness.submitText({ prompt: promptOf(tokens), max_tokens: 1 });
    await answer;
    expect(harness.device.tokens.get(id)?.given).toEqual(tokens);
  });

  it('looks for neither reasoning nor tool calls: all is text', async () => {
    const harness = await new Harness().loaded();
    const content = '<think>Hm.</think> <tool_call>{"name": "clock"}</tool_call> the end.';
    const { texts, finishReasons } = await harness.submitText({ simulate: { content } }).answer;
    expect(texts).toEqual([content]);
    expect(finishReasons).toEqual(['stop']);
  });

  it('begins with its prompt where echo is set, in every choice', async () => {
    const harness = await new Harness().loaded();
    const simulate = { content: ' a page.' };
    const params = { prompt: STORY, n: 2, simulate };
    expect((await harness.submitText({ ...params, echo: true }).answer).texts).toEqual([
      `${STORY} a page.`,
      `${STORY} a page.`,
    ]);
    expect((await harness.submitText(params).answer).texts).toEqual([' a page.', ' a page.']);
  });

  it('echoes token ids as their text', async () => {
    const harness = await new Harness().loaded();
    const prompt = [...harness.device.model.tokenizer.encode(STORY)];
    const simulate = { content: '!' };
    const { texts } = await harness.submitText({ prompt, echo: true, simulate }).answer;
    expect(texts).toEqual([`${STORY}!`]);
  });

  it('does not stop at a stop string in the prompt that it echoes', async () => {
    const harness = await new Harness().loaded();
    const params = {
      prompt: 'one. two',
      echo: true,
      stop: '.',
      simulate: { content: ' three. x' },
    };
    expect((await harness.submitText(params).answer).texts).toEqual(['one. two three']);
  });

  it('ends at max_tokens, which is cut to the context window', async () => {
    const harness = await new Harness().loaded();
    const short = await harness.submitText({ max_tokens: 4, ignore_eos: true }).answer;
    expect(short.finishReasons).toEqual(['length']);
    expect(short.end).toMatchObject({ usage: { completion_tokens: 4, prompt_tokens: 4 } });
    const { model: loaded, capacity } = harness.device;
    const prompt = 'word '.repeat(100);
    const whole = prepareText('r', { prompt }, loaded, capacity.contextWindow);
    expect(whole.promptTokens.length + whole.maxTokens).toBe(capacity.contextWindow);
  });

  it('is served beside chat, by its own objective and stage', async () => {
    const harness = await new Harness().loaded();
    const text = harness.submitText({
      slo: { class: 'deadline', ttlt: 9000 },
      stage: 'draft',
      ignore_eos: true,
      max_tokens: 60,
    });
    const chat = harness.ask({ simulate: { content: 'Unharmed.' } });
    await text.receipt;
    const { requests } = await harness.snapshot();
    expect(requests.find(({ id }) => id === text.id)).toMatchObject({
      class: 'deadline',
      stage: 'draft',
    });
    expect((await chat).texts).toEqual(['Unharmed.']);
    expect(codeOf(await text.answer)).toBe('done');
  });

  it('is aborted like any other, and its pages are free', async () => {
    const harness = await new Harness().loaded();
    const { id, receipt, answer } = harness.submitText({ ignore_eos: true });
    await receipt;
    await harness.server.abort(id);
    expect(codeOf(await answer)).toBe('aborted');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(harness.device.usedPages).toBe(0);
  });

  it('takes null for not set in every field', async () => {
    const harness = await new Harness().loaded();
    const { answer } = harness.submitText({
      model: null,
      echo: null,
      stream: null,
      stream_options: null,
      max_tokens: null,
      temperature: null,
      top_p: null,
      top_k: null,
      frequency_penalty: null,
      presence_penalty: null,
      repetition_penalty: null,
      logit_bias: null,
      logprobs: null,
      n: null,
      seed: null,
      stop: null,
      ignore_eos: null,
      slo: null,
      stage: null,
      simulate: null,
      ...{ suffix: null, best_of: null, user: null },
    });
    expect(codeOf(await answer)).toBe('done');
  });

  it('takes what OpenAI’s clients send along', async () => {
    const harness = await new Harness().loaded();
    const { answer } = harness.submitText({ n: 2, ...{ user: 'me', best_of: 2 } });
    expect(codeOf(await answer)).toBe('done');
  });
});

describe('a bad text completion', () => {
  const BAD: [string, Record<string, unknown>, string, string][] = [
    ['no prompt', { prompt: undefined }, 'invalid_request', 'prompt'],
    ['an empty prompt', { prompt: '' }, 'invalid_request', 'prompt'],
    ['an empty list', { prompt: [] }, 'invalid_request', 'prompt'],
    ['a prompt that is none', { prompt: { text: 'x' } }, 'invalid_request', 'prompt'],
    ['several prompts', { prompt: ['one', 'two'] }, 'invalid_request', 'prompt'],
    ['several lists of tokens', { prompt: [[1], [2]] }, 'invalid_request', 'prompt'],
    ['half a token id', { prompt: [1.5] }, 'invalid_request', 'prompt'],
    ['a token that is not there', { prompt: [1, 99999999] }, 'invalid_request', 'prompt'],
    ['a long prompt', { prompt: 'word '.repeat(5000) }, 'context_length_exceeded', 'prompt'],
    ['another model', { model: 'davinci-002' }, 'unknown_model', 'model'],
    ['a suffix', { suffix: 'The end.' }, 'invalid_request', 'suffix'],
    ['the best of many', { best_of: 3 }, 'invalid_request', 'best_of'],
    ['messages', { messages: [] }, 'invalid_request', 'messages'],
    ['tools', { tools: [] }, 'invalid_request', 'tools'],
    ['a word for echo', { echo: 'yes' }, 'invalid_request', 'echo'],
    ['logprobs as in chat', { logprobs: true }, 'invalid_request', 'logprobs'],
    ['many logprobs', { logprobs: 6 }, 'invalid_request', 'logprobs'],
    ['logprobs of the prompt', { logprobs: 1, echo: true }, 'invalid_request', 'logprobs'],
    ['no tokens', { max_tokens: 0 }, 'invalid_request', 'max_tokens'],
    ['a boiling temperature', { temperature: 9 }, 'invalid_request', 'temperature'],
    ['a strange stop', { stop: [''] }, 'invalid_request', 'stop'],
    ['a stage that is no label', { stage: 'x'.repeat(100) }, 'invalid_request', 'stage'],
    ['an SLO without a class', { slo: {} }, 'invalid_slo', 'slo.class'],
    ['a strange simulation', { simulate: { content: 1 } }, 'invalid_request', 'simulate.content'],
  ];

  it.each(BAD)('%s: named, and nobody else notices', async (_, bad, code, param) => {
    const harness = await new Harness().loaded();
    const good = harness.submit({ simulate: { content: 'Unharmed.' } });
    const outcome = await harness.submitText(unchecked<TextCompletionParams>(bad)).receipt;
    expect(outcome).toMatchObject({ ok: false, error: { code, param } });
    if (!outcome.ok) expect(outcome.error.message).toMatch(/.{20,}\.$/s);
    expect((await good.answer).texts).toEqual(['Unharmed.']);
  });

  it('a kind that there is not: named', async () => {
    const harness = await new Harness().loaded();
    const { receipt } = harness.submit({}, unchecked<ChatSubmission>({ kind: 'image' }));
    expect(await receipt).toMatchObject({ ok: false, error: { param: 'kind' } });
  });
});
