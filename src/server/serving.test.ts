import { describe, expect, it } from 'vitest';
import type { ChoiceDelta } from './chat-types';
import { codeOf, Harness } from './testing/harness';

const STORY = 'Three apps share one model, and none of them waits for long. The end.';

describe('an answer', () => {
  it('is the text that the engine says, in pieces, with one end', async () => {
    const harness = await new Harness().loaded();
    const { id, answer } = harness.submit({ simulate: { content: STORY } });
    const { texts, finishReasons, end } = await answer;
    expect(texts).toEqual([STORY]);
    expect(finishReasons).toEqual(['stop']);
    expect(end.type).toBe('done');
    expect(harness.events.filter((event) => event.type === 'delta').length).toBeGreaterThan(10);
    expect(harness.ends(id)).toBe(1);
    expect(harness.device.usedPages).toBe(0);
  });

  it('starts with the role and ends with why it ended', async () => {
    const harness = await new Harness().loaded();
    await harness.ask({ simulate: { content: 'Yes.' } });
    const deltas = harness.events.filter((event) => event.type === 'delta');
    expect(deltas[0].delta.role).toBe('assistant');
    expect(deltas.slice(1).every(({ delta }) => delta.role === undefined)).toBe(true);
    expect(deltas.map(({ finishReason }) => finishReason).filter(Boolean)).toEqual(['stop']);
    expect(deltas.at(-1)?.finishReason).toBe('stop');
  });

  it('is cut at max_tokens, and says so', async () => {
    const harness = await new Harness().loaded();
    const { finishReasons, end } = await harness.ask({ max_tokens: 7 });
    expect(finishReasons).toEqual(['length']);
    expect(end).toMatchObject({ usage: { completion_tokens: 7 } });
  });

  it('goes on to max_tokens where its end is to be ignored', async () => {
    const harness = await new Harness().loaded();
    const { finishReasons, end } = await harness.ask({
      simulate: { content: 'Yes.' },
      ignore_eos: true,
      max_tokens: 50,
    });
    expect(finishReasons).toEqual(['length']);
    expect(end).toMatchObject({ usage: { completion_tokens: 50 } });
  });

  it('ends before a stop string that spans tokens, of which nothing is ever shown', async () => {
    const harness = await new Harness().loaded();
    const { texts, finishReasons } = await harness.ask({
      simulate: { content: STORY },
      stop: ['none of them waits'],
    });
    expect(texts).toEqual(['Three apps share one model, and ']);
    expect(finishReasons).toEqual(['stop']);
    expect(harness.device.usedPages).toBe(0);
  });

  it('gives back what was held for a stop string that never came', async () => {
    const harness = await new Harness().loaded();
    const { texts } = await harness.ask({
      simulate: { content: STORY },
      stop: ['The end. And more'],
    });
    expect(texts).toEqual([STORY]);
  });

  it('has its reasoning apart', async () => {
    const harness = await new Harness().loaded();
    const { texts } = await harness.ask({
      simulate: { content: '<think>\nLet me see.\n</think>\n\nIt is four.' },
    });
    const reasoning = harness.events
      .map((event) => (event.type === 'delta' ? (event.delta.reasoning_content ?? '') : ''))
      .join('');
    expect(reasoning).toBe('Let me see.');
    expect(texts).toEqual(['It is four.']);
  });

  it('tells its tokens and its times', async () => {
    const harness = await new Harness().loaded();
    const { end } = await harness.ask(
      { simulate: { content: STORY } },
      { slo: { class: 'latency', ttft: 1000, tbt: 100 } },
    );
    if (end.type !== 'done') throw new Error('it failed');
    const { usage } = end;
    // The end token is one that the model generated.
    expect(usage.completion_tokens).toBe(harness.device.model.tokenizer.encode(STORY).length + 1);
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
    const { extra } = usage;
    expect(extra.ttft_ms).toBeGreaterThan(0);
    expect(extra.ttlt_ms).toBeCloseTo(
      extra.ttft_ms + extra.tbt_ms * (usage.completion_tokens - 1),
      6,
    );
    expect(extra.slo_met).toBe(true);
    expect(extra.service_gain).toBeCloseTo(usage.prompt_tokens + 8 * usage.completion_tokens, 6);
    expect(extra.preemptions).toBe(0);
  });

  it('tells how much of its prompt was found computed', async () => {
    const harness = await new Harness().loaded();
    const messages = [
      { role: 'system' as const, content: 'Be brief, and kind, and right. '.repeat(20) },
      { role: 'user' as const, content: 'What is a page?' },
    ];
    const first = await harness.ask({ messages, simulate: { content: 'Sixteen slots.' } });
    const second = await harness.ask({
      messages: [
        ...messages,
        { role: 'assistant', content: first.texts[0] },
        { role: 'user', content: 'And a slot?' },
      ],
      max_tokens: 3,
    });
    if (first.end.type !== 'done' || second.end.type !== 'done') throw new Error('it failed');
    expect(first.end.usage.prompt_tokens_details.cached_tokens).toBe(0);
    const { prompt_tokens, prompt_tokens_details } = second.end.usage;
    // The whole of the first turn, question and answer.
    expect(prompt_tokens_details.cached_tokens).toBeGreaterThan(first.end.usage.prompt_tokens);
    expect(prompt_tokens_details.cached_tokens).toBeLessThan(prompt_tokens);
    expect((await harness.snapshot()).prefix).toMatchObject({ lookups: 2, hits: 1 });
  });

  it('keeps the order of its parts', async () => {
    const harness = await new Harness().loaded();
    const { id } = harness.submit({ simulate: { content: STORY } });
    await harness.ask({ max_tokens: 40 });
    const types = harness.events.filter((event) => event.id === id).map(({ type }) => type);
    expect(types.indexOf('done')).toBe(types.length - 1);
  });
});

describe('tool calls', () => {
  const tools = [
    {
      type: 'function' as const,
      function: {
        name: 'calculator',
        parameters: { type: 'object', properties: { sum: { type: 'string' } } },
      },
    },
    { type: 'function' as const, function: { name: 'clock' } },
  ];
  const calls = [
    { name: 'calculator', arguments: { sum: '19 * 23' } },
    { name: 'clock', arguments: {} },
  ];

  function callsIn(deltas: ChoiceDelta[]): string[] {
    const found: { name: string; args: string }[] = [];
    for (const call of deltas.flatMap((delta) => delta.tool_calls ?? [])) {
      found[call.index] ??= { name: '', args: '' };
      found[call.index].name += call.function?.name ?? '';
      found[call.index].args += call.function?.arguments ?? '';
    }
    return found.map(({ name, args }) => `${name}(${args})`);
  }

  it('come as deltas, found in the same text that a model would write', async () => {
    const harness = await new Harness().loaded();
    const { texts, finishReasons } = await harness.ask({
      tools,
      simulate: { content: 'Let me work that out.', tool_calls: calls },
    });
    const deltas = harness.events.flatMap((event) => (event.type === 'delta' ? event.delta : []));
    expect(callsIn(deltas)).toEqual(['calculator({"sum":"19 * 23"})', 'clock({})']);
    expect(texts).toEqual(['Let me work that out.']);
    expect(finishReasons).toEqual(['tool_calls']);
  });

  it('go back to the model with their results', async () => {
    const harness = await new Harness().loaded();
    const answer = await harness.ask({
      tools,
      messages: [
        { role: 'user', content: 'What is 19 times 23?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'calculator', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: '437' },
      ],
      simulate: { content: 'It is 437.' },
    });
    expect(answer.texts).toEqual(['It is 437.']);
  });
});

describe('n choices', () => {
  it('are each whole, and counted with one prompt', async () => {
    const harness = await new Harness().loaded();
    const { texts, finishReasons, end } = await harness.ask({ n: 3, seed: 7, max_tokens: 20 });
    expect(new Set(texts).size).toBe(3);
    expect(finishReasons).toEqual(['length', 'length', 'length']);
    if (end.type !== 'done') throw new Error('it failed');
    expect(end.usage.completion_tokens).toBe(60);
    expect(end.usage.total_tokens).toBe(end.usage.prompt_tokens + 60);
  });

  it('start with what the request alone would be', async () => {
    const harness = await new Harness().loaded();
    const alone = await harness.ask({ seed: 7, max_tokens: 20 });
    const three = await harness.ask({ n: 3, seed: 7, max_tokens: 20 });
    expect(three.texts[0]).toBe(alone.texts[0]);
  });

  it('wait until the first has computed the prompt that they share', async () => {
    const together: string[][] = [];
    const harness: Harness = await new Harness({
      mishap: (_step, device) => together.push([...device.sequences]),
    }).loaded();
    await harness.ask(
      { n: 3, max_tokens: 5, messages: [{ role: 'user', content: 'word '.repeat(200) }] },
      { id: 'x' },
    );
    expect(together[0]).toEqual(['x']);
    expect(together.some((ids) => ids.length === 3)).toBe(true);
    const { prefix } = await harness.snapshot();
    expect(prefix?.hits).toBe(2);
    expect(prefix?.cachedTokens).toBeGreaterThan(400);
  });

  it('end together when the request is aborted', async () => {
    const harness = await new Harness().loaded();
    const { id, receipt, answer } = harness.submit({ n: 4, ignore_eos: true });
    await receipt;
    await new Promise((resolve) => setTimeout(resolve, 30));
    await harness.server.abort(id);
    expect(codeOf(await answer)).toBe('aborted');
    await harness.ask({ max_tokens: 1 });
    expect(harness.device.usedPages).toBe(0);
    expect(harness.ends(id)).toBe(1);
  });
});
