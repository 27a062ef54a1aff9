import { describe, expect, it, vi } from 'vitest';
import {
  type ChatCompletionChunk,
  type ChatCompletionParams,
  createTempo,
  POLICY_NAMES,
  type ServerState,
  type Snapshot,
  type Tempo,
  TempoError,
} from '../src/client';
import { createPolicy } from '../src/scheduler';
import { Harness, type HarnessOptions } from '../src/server/testing/harness';

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] } satisfies ChatCompletionParams;
const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

/** The client on a real server, in virtual time. */
function start(options?: HarnessOptions): { tempo: Tempo; harness: Harness } {
  const harness = new Harness(options);
  return { harness, tempo: createTempo({ engine: 'simulated', host: harness.server }) };
}

const completions = (tempo: Tempo, app = 'chat') => tempo.app(app).chat.completions;

async function chunksOf(stream: AsyncIterable<ChatCompletionChunk>) {
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

const ABORT = { name: 'AbortError', code: 'aborted' };

describe('a stream', () => {
  const cases: [string, Omit<Partial<ChatCompletionParams>, 'stream'>][] = [
    ['words', { seed: 5, max_tokens: 40 }],
    ['words to their end', { simulate: { content: 'All of it, to the end.' } }],
    ['reasoning', { simulate: { content: '<think>Hm.</think>Four.' } }],
    ['nothing', { simulate: { content: '' } }],
    ['three choices', { seed: 9, n: 3, max_tokens: 12 }],
    [
      'tool calls',
      {
        tools: [{ type: 'function', function: { name: 'clock' } }],
        simulate: { content: 'One moment.', tool_calls: [{ name: 'clock', arguments: { z: 1 } }] },
      },
    ],
  ];

  it.each(cases)('of %s comes to what the whole answer is', async (_, extra) => {
    const { tempo } = start();
    const whole = await completions(tempo).create({ ...HELLO, ...extra });
    const chunks = await chunksOf(
      await completions(tempo).create({ ...HELLO, ...extra, stream: true }),
    );
    for (const choice of whole.choices) {
      const parts = chunks.flatMap((chunk) =>
        chunk.choices.filter((c) => c.index === choice.index),
      );
      expect(parts[0].delta.role).toBe('assistant');
      expect(parts.map(({ delta }) => delta.content ?? '').join('')).toBe(
        choice.message.content ?? '',
      );
      expect(parts.map(({ delta }) => delta.reasoning_content ?? '').join('')).toBe(
        choice.message.reasoning_content ?? '',
      );
      const calls = parts.flatMap(({ delta }) => delta.tool_calls ?? []);
      expect(calls.map((call) => call.function?.arguments ?? '').join('')).toBe(
        (choice.message.tool_calls ?? []).map((call) => call.function.arguments).join(''),
      );
      expect(parts.map((part) => part.finish_reason).filter(Boolean)).toEqual([
        choice.finish_reason,
      ]);
    }
    await tempo.dispose();
  });

  it('has OpenAI’s shape, and says that it is simulated', async () => {
    const { tempo } = start();
    const stream = await completions(tempo).create({ ...HELLO, max_tokens: 3, stream: true });
    const chunks = await chunksOf(stream);
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: stream.id,
        object: 'chat.completion.chunk',
        model: 'laptop-gpu',
        simulated: true,
      });
      expect(chunk.created).toBeCloseTo(Date.now() / 1000, -2);
    }
    expect(chunks.every((chunk) => chunk.usage === undefined)).toBe(true);
    await tempo.dispose();
  });

  it('ends with its usage where that is asked for', async () => {
    const { tempo } = start();
    const chunks = await chunksOf(
      await completions(tempo).create({
        ...HELLO,
        max_tokens: 3,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    expect(chunks.at(-1)?.choices).toEqual([]);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(3);
    await tempo.dispose();
  });

  it('is aborted by a `break`, and its pages are free', async () => {
    const { tempo, harness } = start();
    const stream = await completions(tempo).create({ ...HELLO, ignore_eos: true, stream: true });
    for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
    await tick(20);
    expect(harness.device.usedPages).toBe(0);
    const { metrics } = await harness.snapshot();
    expect(metrics.total).toMatchObject({ submitted: 1, aborted: 1 });
    await tempo.dispose();
  });

  it('is ended by abort(), quietly, with what came before and a reason', async () => {
    const { tempo } = start();
    const stream = await completions(tempo).create({ ...HELLO, ignore_eos: true, stream: true });
    const seen: ChatCompletionChunk[] = [];
    for await (const chunk of stream) {
      seen.push(chunk);
      if (seen.length === 4) stream.abort();
    }
    expect(seen.at(-1)?.choices[0].finish_reason).toBe('abort');
    stream.abort();
    await tempo.dispose();
  });

  it('knows how long it will wait', async () => {
    const { tempo } = start({ profile: { maxSequences: 1 } });
    const first = await completions(tempo).create({ ...HELLO, ignore_eos: true, stream: true });
    const second = await completions(tempo).create({ ...HELLO, max_tokens: 2, stream: true });
    expect(first.estimatedWaitMs).toBeLessThan(30); // a step
    expect(second.estimatedWaitMs).toBeGreaterThan(30);
    first.abort();
    await chunksOf(second);
    expect(second.estimatedWaitMs).toBe(0);
    await tempo.dispose();
  });

  it('does not need to be read at once', async () => {
    const { tempo } = start();
    const stream = await completions(tempo).create({
      ...HELLO,
      simulate: { content: 'Read me later.' },
      stream: true,
    });
    await tick(60);
    const text = (await chunksOf(stream)).map((chunk) => chunk.choices[0].delta.content ?? '');
    expect(text.join('')).toBe('Read me later.');
    await tempo.dispose();
  });
});

describe('a signal', () => {
  it('that was aborted before makes a call that never begins', async () => {
    const { tempo, harness } = start();
    const signal = AbortSignal.abort();
    expect(await failure(completions(tempo).create(HELLO, { signal }))).toMatchObject(ABORT);
    await tempo.ready;
    expect((await harness.snapshot()).metrics.total.submitted).toBe(0);
    await tempo.dispose();
  });

  it('aborts a call that waits for the engine', async () => {
    const { tempo, harness } = start({ onLoad: () => tick(40) });
    const controller = new AbortController();
    const call = failure(completions(tempo).create(HELLO, { signal: controller.signal }));
    await tick();
    controller.abort();
    expect(await call).toMatchObject(ABORT);
    await tempo.ready;
    await tick();
    expect((await harness.snapshot()).metrics.total.submitted).toBe(0);
    await tempo.dispose();
  });

  it.each([0, 1, 3, 8, 20])('aborts an answer after %i ms, streamed or whole', async (ms) => {
    const { tempo, harness } = start();
    await tempo.ready;
    const controller = new AbortController();
    const { signal } = controller;
    const endless = { ...HELLO, ignore_eos: true };
    const whole = failure(completions(tempo).create(endless, { signal }));
    const streamed = failure(
      completions(tempo)
        .create({ ...endless, stream: true }, { signal })
        .then(chunksOf),
    );
    const neighbour = completions(tempo).create({ ...HELLO, simulate: { content: 'Unharmed.' } });
    await tick(ms);
    controller.abort();
    expect(await whole).toMatchObject(ABORT);
    expect(await streamed).toMatchObject(ABORT);
    expect((await neighbour).choices[0].message.content).toBe('Unharmed.');
    await tick(20);
    expect(harness.device.usedPages).toBe(0);
    await tempo.dispose();
  });

  it('does nothing after the end', async () => {
    const { tempo } = start();
    const controller = new AbortController();
    const answer = await completions(tempo).create(
      { ...HELLO, max_tokens: 2 },
      { signal: controller.signal },
    );
    controller.abort();
    expect(answer.choices[0].finish_reason).toBe('length');
    await tempo.dispose();
  });
});

describe('a load', () => {
  it('is waited for by calls', async () => {
    const { tempo } = start({ onLoad: () => tick(20) });
    expect(tempo.state.phase).not.toBe('ready');
    const answer = await completions(tempo).create({ ...HELLO, simulate: { content: 'Hi.' } });
    expect(answer.choices[0].message.content).toBe('Hi.');
    expect(tempo.state.phase).toBe('ready');
    await tempo.dispose();
  });

  it('that fails is told by `ready` and by every call, until another succeeds', async () => {
    const { tempo } = start({
      onLoad: (load) => {
        if (load === 1) throw new TempoError('network', 'The download broke off. Try again.');
      },
    });
    expect(await failure(tempo.ready)).toMatchObject({ code: 'network', status: 502 });
    expect(await failure(completions(tempo).create(HELLO))).toMatchObject({ code: 'network' });
    expect(tempo.state).toMatchObject({ phase: 'failed', error: { code: 'network' } });
    await tempo.load({ engine: 'simulated', model: 'laptop-gpu' });
    await completions(tempo).create({ ...HELLO, max_tokens: 1 });
    await tempo.dispose();
  });

  it('is cancelled by its signal', async () => {
    const { tempo } = start({ onLoad: () => tick(30) });
    await tempo.ready;
    const controller = new AbortController();
    const loading = failure(
      tempo.load({ engine: 'simulated', model: 'laptop-gpu' }, { signal: controller.signal }),
    );
    await tick();
    controller.abort();
    expect(await loading).toMatchObject(ABORT);
    expect(tempo.state.phase).toBe('idle');
    await tempo.dispose();
  });

  it('beside another is refused, and the other goes on', async () => {
    const { tempo } = start({ onLoad: () => tick(30) });
    const second = failure(tempo.load({ engine: 'simulated', model: 'laptop-gpu' }));
    expect(await second).toMatchObject({ code: 'load_in_progress' });
    await tempo.ready;
    await completions(tempo).create({ ...HELLO, max_tokens: 1 });
    await tempo.dispose();
  });

  it('of an unknown model leaves what runs alone', async () => {
    const { tempo } = start();
    const answer = completions(tempo).create({ ...HELLO, simulate: { content: 'Unharmed.' } });
    await tempo.ready;
    const failed = await failure(tempo.load({ engine: 'simulated', model: 'abacus' }));
    expect(failed).toMatchObject({ code: 'unknown_model', param: 'model' });
    expect((await answer).choices[0].message.content).toBe('Unharmed.');
    await completions(tempo).create({ ...HELLO, max_tokens: 1 });
    await tempo.dispose();
  });

  it('needs a host where there are no workers', async () => {
    const tempo = createTempo({ engine: 'simulated' });
    expect(await failure(tempo.ready)).toMatchObject({ code: 'unsupported' });
    await tempo.dispose();
  });
});

it('the tokens of a prompt are counted once the engine is there', async () => {
  const { tempo } = start();
  const tools = [{ type: 'function' as const, function: { name: 'clock' } }];
  const counted = tempo.countTokens({ ...HELLO, tools });
  const { usage } = await completions(tempo).create({ ...HELLO, tools, max_tokens: 1 });
  expect(await counted).toBe(usage.prompt_tokens);
  expect(await failure(tempo.countTokens({ messages: [] }))).toMatchObject({
    code: 'invalid_request',
    param: 'messages',
  });
  await tempo.dispose();
});

describe('a program', () => {
  it('groups calls under one deadline', async () => {
    const { tempo } = start();
    const program = tempo.program({ app: 'agent', deadline: 60_000 });
    for (let call = 0; call < 2; call++) {
      await program.chat.completions.create({ ...HELLO, max_tokens: 5 });
    }
    expect(await program.end()).toMatchObject({ id: program.id, calls: 2, met: true });
    expect(await failure(program.chat.completions.create(HELLO))).toMatchObject({
      code: 'program_ended',
    });
    await tempo.dispose();
  });

  it('with an absurd deadline says so in its calls', async () => {
    const { tempo } = start();
    const program = tempo.program({ app: 'agent', deadline: -1 });
    expect(await failure(program.chat.completions.create(HELLO))).toMatchObject({
      code: 'invalid_slo',
      param: 'deadline',
    });
    expect(await failure(program.end())).toMatchObject({ code: 'invalid_slo' });
    await tempo.dispose();
  });
});

describe('an app', () => {
  it('is one object for one name, with an objective that can change', async () => {
    const { tempo, harness } = start();
    const app = tempo.app('chat', { slo: { class: 'latency', ttft: 500, tbt: 50 } });
    expect(tempo.app('chat')).toBe(app);
    const stream = await app.chat.completions.create({ ...HELLO, ignore_eos: true, stream: true });
    await app.setSlo({ class: 'deadline', ttlt: 9000 });
    expect(app.slo).toEqual({ class: 'deadline', ttlt: 9000 });
    expect((await harness.snapshot()).requests[0].class).toBe('deadline');
    stream.abort();
    const bad = failure(app.setSlo({ class: 'deadline', ttlt: -1 }));
    expect(await bad).toMatchObject({ code: 'invalid_slo', param: 'slo.ttlt' });
    expect(app.slo).toEqual({ class: 'deadline', ttlt: 9000 });
    await tempo.dispose();
  });

  it('with an objective that is none hears of it at its first call', async () => {
    const { tempo } = start();
    const app = tempo.app('chat', { slo: { class: 'latency', ttft: -5, tbt: 1 } });
    expect(await failure(app.chat.completions.create(HELLO))).toMatchObject({
      code: 'invalid_slo',
      param: 'slo.ttft',
    });
    await tempo.dispose();
  });
});

describe('watching', () => {
  it('begins before the load and ends when told', async () => {
    const { tempo } = start();
    const snapshots: Snapshot[] = [];
    const phases: ServerState['phase'][] = [];
    const stopWatching = tempo.watch((snapshot) => snapshots.push(snapshot), 16);
    const stopStates = tempo.onState(({ phase }) => phases.push(phase));
    await completions(tempo).create({ ...HELLO, max_tokens: 30 });
    await tick(40);
    expect(snapshots.at(-1)?.metrics.total.finished).toBe(1);
    expect(phases.at(-1)).toBe('ready');
    stopWatching();
    stopStates();
    const { length } = snapshots;
    await completions(tempo).create({ ...HELLO, max_tokens: 30 });
    await tick(40);
    expect(snapshots).toHaveLength(length);
    await tempo.dispose();
    expect(phases).not.toContain('idle');
  });

  it('survives a listener that throws', async () => {
    const { tempo } = start();
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
    const fail = () => {
      throw new Error('the page has a bug');
    };
    tempo.watch(fail, 16);
    tempo.onState(fail);
    const answer = await completions(tempo).create({ ...HELLO, ignore_eos: true, max_tokens: 30 });
    expect(answer.usage.completion_tokens).toBe(30);
    await tempo.dispose();
    expect(reported).toHaveBeenCalled();
    reported.mockRestore();
  });
});

describe('dispose', () => {
  it('fails what is open, and whatever comes after', async () => {
    const { tempo, harness } = start();
    await tempo.ready;
    const open = failure(completions(tempo).create({ ...HELLO, ignore_eos: true }));
    await tick(10);
    await tempo.dispose();
    await tempo.dispose();
    expect(await open).toMatchObject({ code: 'disposed' });
    expect(harness.device.disposed).toBe(true);
    expect(await failure(completions(tempo).create(HELLO))).toMatchObject({ code: 'disposed' });
    expect(await failure(tempo.setPolicy('fcfs'))).toMatchObject({ code: 'disposed' });
  });
});

it('an engine that hangs does not keep a page from leaving', async () => {
  const { tempo, harness } = start();
  await tempo.ready;
  harness.device.step = () => new Promise(() => {});
  const open = failure(completions(tempo).create(HELLO));
  await tick(10);
  await tempo.dispose();
  expect(await open).toMatchObject({ code: 'disposed' });
});

it('the names of the policies are those that there are', () => {
  for (const name of POLICY_NAMES) expect(createPolicy(name).name).toBe(name);
});
