import { describe, expect, it, vi } from 'vitest';
import { createTempo, TempoError, type ToolCall } from '../src/client';
import { Chat, type ChatOptions, type ChatState } from '../src/react/chat';
import { Harness, type HarnessOptions } from '../src/server/testing/harness';

const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

/** A conversation with a real server, in virtual time; `asked` is what reached it. */
function start(options: ChatOptions = {}, harnessOptions?: HarnessOptions) {
  const harness = new Harness(harnessOptions);
  const submit = vi.spyOn(harness.server, 'submit');
  const tempo = createTempo({ engine: 'simulated', host: harness.server });
  const chat = new Chat(tempo, options);
  const asked = () =>
    submit.mock.calls.map(([{ params }]) => ('messages' in params ? params.messages : []));
  const said = () => chat.get().messages.map(({ role, content }) => [role, content]);
  /** Resolves when the conversation is as `is` says. */
  const when = (is: (state: ChatState) => boolean) =>
    vi.waitFor(() => expect(is(chat.get())).toBe(true), { timeout: 5000, interval: 1 });
  return { harness, submit, tempo, chat, asked, said, when };
}

const saying = (content: string) => ({ simulate: { content } });
const ENDLESS = { ignore_eos: true, max_tokens: 2000 } as const;

describe('a chat', () => {
  it('sends the whole conversation with each message, the system’s words first', async () => {
    const { chat, asked, said } = start({ system: 'Be brief.', app: 'help', stage: 'reply' });
    const answer = await chat.send('Hello', saying('Good morning.'));
    expect(answer).toMatchObject({ content: 'Good morning.', finish_reason: 'stop' });
    await chat.send('And now?', saying('Good night.'));
    expect(asked()).toEqual([
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Good morning.' },
        { role: 'user', content: 'And now?' },
      ],
    ]);
    expect(said()).toEqual([
      ['user', 'Hello'],
      ['assistant', 'Good morning.'],
      ['user', 'And now?'],
      ['assistant', 'Good night.'],
    ]);
  });

  it('is submitted, then streams, then is ready', async () => {
    const { chat } = start();
    const seen: string[] = [];
    chat.subscribe(() => {
      const { status } = chat.get();
      if (seen.at(-1) !== status) seen.push(status);
    });
    await chat.send('Hello', saying('One two three four five six seven eight nine ten.'));
    expect(seen.filter((status, i) => i > 0 || status !== 'ready')).toEqual([
      'submitted',
      'streaming',
      'ready',
    ]);
  });

  it('shows an answer that comes fast in few steps, and all of it in the end', async () => {
    const { chat } = start();
    let changes = 0;
    chat.subscribe(() => changes++);
    const answer = await chat.send('Go on', { ...ENDLESS, max_tokens: 400 });
    expect(answer?.usage?.completion_tokens).toBe(400);
    expect(chat.get().messages[1]).toEqual(answer);
    expect(changes).toBeGreaterThan(4);
    expect(changes).toBeLessThan(130);
  });

  it('gives every message a key that stays, and the answer its usage', async () => {
    const { chat } = start();
    const ids = new Set<string>();
    chat.subscribe(() => {
      const last = chat.get().messages.at(-1);
      if (last?.role === 'assistant') ids.add(last.id);
    });
    const answer = await chat.send('Hello', saying('One two three four five six seven.'));
    expect([...ids]).toEqual([answer?.id]);
    expect(answer?.usage?.completion_tokens).toBeGreaterThan(0);
    expect(answer?.simulated).toBe(true);
    const keys = chat.get().messages.map(({ id }) => id);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('goes on from messages that were kept', async () => {
    const { chat, asked } = start({
      initialMessages: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Good morning.', id: 'kept' },
      ],
    });
    expect(chat.get().messages.map(({ id }) => id)).toEqual(['initial-0', 'kept']);
    await chat.send('Go on');
    expect(asked()[0]).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Good morning.' },
      { role: 'user', content: 'Go on' },
    ]);
  });

  it('takes messages in parts, shows their text and sends them on as they are', async () => {
    const { chat, asked, said } = start();
    const content = [
      { type: 'text', text: 'Hello, ' },
      { type: 'text', text: 'you.' },
    ] as const;
    await chat.send({ role: 'user', content, name: 'Ann' }, saying('Good morning.'));
    expect(said()[0]).toEqual(['user', 'Hello, you.']);
    expect(asked()[0]).toEqual([{ role: 'user', content, name: 'Ann' }]);
  });

  it('can be kept and taken up again, whole', async () => {
    const { chat } = start();
    await chat.send('Hello', saying('Good morning.'));
    const kept = JSON.parse(JSON.stringify(chat.get().messages));
    const later = start({ initialMessages: kept });
    expect(later.chat.get().messages).toEqual(chat.get().messages);
    await later.chat.send('Go on');
    expect(later.asked()[0]).toHaveLength(3);
    later.chat.setMessages([{ role: 'user', content: 'Another' }]);
    const [another] = later.chat.get().messages;
    expect(another.id).toMatch(/^message-/);
    later.chat.setMessages((messages) => messages);
    expect(later.chat.get().messages[0]).toBe(another);
  });

  it('keeps a thinking model’s reasoning apart, and does not send it back', async () => {
    const { chat, asked } = start();
    const answer = await chat.send('2 + 2?', saying('<think>Add them.</think>Four.'));
    expect(answer).toMatchObject({ content: 'Four.', reasoning_content: 'Add them.' });
    await chat.send('Sure?');
    expect(asked()[1][1]).toEqual({ role: 'assistant', content: 'Four.' });
  });

  it('takes options as they are when it asks, and those of one question for that alone', async () => {
    const { chat, submit, tempo } = start({ temperature: 0.5 });
    await chat.send('Hello', { max_tokens: 3 });
    chat.configure(tempo, {
      temperature: 0.7,
      app: 'other',
      slo: { class: 'deadline', ttlt: 900 },
    });
    await chat.send('Hello');
    const [first, second] = submit.mock.calls.map(([submission]) => submission);
    expect(first).toMatchObject({ app: 'chat', params: { temperature: 0.5, max_tokens: 3 } });
    expect(second).toMatchObject({ app: 'other', slo: { class: 'deadline', ttlt: 900 } });
    expect(second.params).toMatchObject({ temperature: 0.7 });
    expect(second.params.max_tokens).toBeUndefined();
  });
});

describe('a chat that is stopped', () => {
  it('keeps what has come, which goes with the next question', async () => {
    const { chat, asked, harness, when } = start();
    const answer = chat.send('Go on', ENDLESS);
    await when(({ status }) => status === 'streaming');
    chat.stop();
    const { messages, status } = chat.get();
    expect(status).toBe('ready');
    expect(messages[1]).toMatchObject({ role: 'assistant', finish_reason: 'abort' });
    expect(messages[1].content).not.toBe('');
    expect(await answer).toBeUndefined();
    expect(chat.get().messages).toBe(messages);
    await vi.waitFor(async () => expect((await harness.snapshot()).live.resident).toBe(0));
    await chat.send('What else?');
    expect(asked()[1]).toEqual([
      { role: 'user', content: 'Go on' },
      { role: 'assistant', content: messages[1].content },
      { role: 'user', content: 'What else?' },
    ]);
  });

  it('while the model loads never asks', async () => {
    const { chat, submit, tempo } = start({}, { onLoad: () => tick(30) });
    const answer = chat.send('Hello');
    expect(chat.get().status).toBe('submitted');
    chat.stop();
    expect(chat.get().status).toBe('ready');
    expect(await answer).toBeUndefined();
    await tempo.ready;
    await tick();
    expect(submit).not.toHaveBeenCalled();
  });

  it('by the next question answers that alone', async () => {
    const { chat, said, when } = start();
    const first = chat.send('Go on', ENDLESS);
    await when(({ status }) => status === 'streaming');
    const second = chat.send('Hello', saying('Good morning.'));
    expect(await first).toBeUndefined();
    expect((await second)?.content).toBe('Good morning.');
    expect(said().map(([role]) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(chat.get().status).toBe('ready');
  });

  it('by new messages has those alone', async () => {
    const { chat, said, when } = start();
    void chat.send('Go on', ENDLESS);
    await when(({ status }) => status === 'streaming');
    chat.setMessages((messages) => messages.slice(0, 1));
    await tick(30);
    expect(said()).toEqual([['user', 'Go on']]);
    expect(chat.get().status).toBe('ready');
  });
});

describe('a chat in which something goes wrong', () => {
  it('says what, and asks again with the history as it was', async () => {
    const onError = vi.fn();
    const { chat, asked, said } = start({ onError });
    await chat.send('Hello', saying('Good morning.'));
    expect(await chat.send('Go on', { temperature: -1 })).toBeUndefined();
    const { status, error } = chat.get();
    expect(status).toBe('error');
    expect(error).toMatchObject({ code: 'invalid_request', param: 'temperature' });
    expect(onError).toHaveBeenCalledExactlyOnceWith(error);
    await chat.regenerate(saying('At last.'));
    expect(chat.get()).toMatchObject({ status: 'ready', error: undefined });
    expect(asked().at(-1)).toEqual(asked().at(-2));
    expect(said().slice(2)).toEqual([
      ['user', 'Go on'],
      ['assistant', 'At last.'],
    ]);
  });

  it('in mid-answer keeps what has come until it is asked for again', async () => {
    let fail = false;
    const mishap = () => {
      if (!fail) return;
      fail = false;
      throw new TempoError('engine_failed', 'A kernel went mad.');
    };
    const { chat, said, when } = start({}, { mishap });
    const answer = chat.send('Go on', ENDLESS);
    await when(({ status }) => status === 'streaming');
    fail = true;
    expect(await answer).toBeUndefined();
    expect(chat.get()).toMatchObject({ status: 'error', error: { code: 'engine_failed' } });
    const [, partial] = chat.get().messages;
    expect(partial.content).not.toBe('');
    expect(partial.finish_reason).toBeUndefined();
    await chat.regenerate(saying('At last.'));
    expect(said()).toEqual([
      ['user', 'Go on'],
      ['assistant', 'At last.'],
    ]);
  });

  it('goes on, whatever its callbacks throw', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    const onFinish = () => {
      throw new Error('not today');
    };
    const { chat } = start({ onFinish });
    expect((await chat.send('Hello', saying('Good morning.')))?.content).toBe('Good morning.');
    expect(chat.get()).toMatchObject({ status: 'ready', error: undefined });
    expect(shown).toHaveBeenCalledOnce();
    shown.mockRestore();
  });

  it('refuses what is no message, and harms nothing', async () => {
    const { chat, said } = start();
    for (const bad of ['{}', '5', 'null', '["Hello"]', '[{"content":"x"}]']) {
      const refused = chat.send(JSON.parse(bad));
      await expect(refused).rejects.toMatchObject({ code: 'invalid_request', param: 'message' });
    }
    expect(() => chat.setMessages(JSON.parse('[5]'))).toThrow(TempoError);
    expect(() => new Chat(start().tempo, JSON.parse('{"initialMessages":"x"}'))).toThrow(
      TempoError,
    );
    expect(said()).toEqual([]);
    expect(await chat.regenerate()).toBeUndefined();
    expect((await chat.send('Hello', saying('Good morning.')))?.content).toBe('Good morning.');
  });

  it('takes null for not set, everywhere', async () => {
    const { chat } = start({
      app: null,
      system: null,
      initialMessages: null,
      onToolCall: null,
      maxRounds: null,
      onFinish: null,
      onError: null,
      temperature: null,
    });
    expect((await chat.send('Hello', null))?.finish_reason).toBe('stop');
  });
});

describe('a chat with tools', () => {
  const tools = [{ type: 'function', function: { name: 'clock' } }] as const;
  const calling = { simulate: { tool_calls: [{ name: 'clock', arguments: { zone: 'UTC' } }] } };

  /** Calls the clock, and answers once it has been told the time. */
  function withClock(use: (call: ToolCall, signal: AbortSignal) => unknown) {
    const started = start();
    const { chat, tempo } = started;
    const onToolCall = (call: ToolCall, signal: AbortSignal) => {
      chat.configure(tempo, { tools, onToolCall, ...saying('It is noon.') });
      return use(call, signal);
    };
    chat.configure(tempo, { tools, onToolCall, ...calling });
    return started;
  }

  it('does what the model asks for, and lets it go on', async () => {
    const { chat, asked, said } = withClock(({ function: { name } }) => ({ name, hour: 12 }));
    expect((await chat.send('What time is it?'))?.content).toBe('It is noon.');
    expect(said().map(([role]) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
    const [, call, result] = asked()[1];
    if (call.role !== 'assistant' || !call.tool_calls) throw new Error('no call');
    expect(call.tool_calls).toMatchObject([{ function: { name: 'clock' } }]);
    expect(result).toEqual({
      role: 'tool',
      tool_call_id: call.tool_calls[0].id,
      content: '{"name":"clock","hour":12}',
    });
  });

  it('tells the model of a tool that failed', async () => {
    const { chat, asked } = withClock(() => {
      throw new Error('It stands still.');
    });
    expect((await chat.send('What time is it?'))?.content).toBe('It is noon.');
    expect(asked()[1][2].content).toBe('{"error":"It stands still."}');
  });

  it('without somebody to do them shows the calls, and takes their answers as messages', async () => {
    const { chat } = start({ tools });
    const answer = await chat.send('What time is it?', calling);
    const [{ id }] = answer?.tool_calls ?? [];
    const next = await chat.send(
      { role: 'tool', tool_call_id: id, content: '12' },
      saying('It is noon.'),
    );
    expect(next?.content).toBe('It is noon.');
  });

  it('that is stopped in a tool can go on without it', async () => {
    const signals: AbortSignal[] = [];
    const { chat, asked, when } = withClock((_, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    const answer = chat.send('What time is it?');
    await when(() => signals.length === 1);
    chat.stop();
    expect(signals[0].aborted).toBe(true);
    expect(chat.get().status).toBe('ready');
    expect(await answer).toBeUndefined();
    const next = await chat.send('Never mind.');
    expect(next?.content).toBe('It is noon.');
    expect(asked()[1]).toEqual([
      { role: 'user', content: 'What time is it?' },
      { role: 'user', content: 'Never mind.' },
    ]);
  });

  it('ends after so many rounds', async () => {
    const { chat, submit } = start({
      tools,
      maxRounds: 3,
      onToolCall: () => 'again',
      ...calling,
    });
    await chat.send('What time is it?');
    expect(submit).toHaveBeenCalledTimes(3);
    expect(chat.get().status).toBe('ready');
  });

  it.each([0, -1, Number.NaN])(
    'refuses %d rounds, in which nothing would be asked',
    async (maxRounds) => {
      const { chat, submit } = start({ maxRounds });
      expect(await chat.send('Hello')).toBeUndefined();
      expect(submit).not.toHaveBeenCalled();
      expect(chat.get()).toMatchObject({
        status: 'error',
        error: { code: 'invalid_request', param: 'maxRounds' },
      });
    },
  );
});
