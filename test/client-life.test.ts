/** The life of a Tempo: how it begins, waits, is listened to, read and ended. */
import { describe, expect, it, vi } from 'vitest';
import {
  type ChatCompletionParams,
  createTempo,
  type ServerState,
  type Tempo,
  TempoError,
  type TempoOptions,
  type TempoPort,
} from '../src/client';
import { loadSimulatedEngine } from '../src/engine/simulated';
import type { EngineKind } from '../src/server/engines';
import { TempoServer } from '../src/server/server';
import { Harness, type HarnessOptions } from '../src/server/testing/harness';
import { serve } from '../src/worker/serve';

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] } satisfies ChatCompletionParams;
const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

function start(options?: HarnessOptions, more: Partial<TempoOptions> = {}) {
  const harness = new Harness(options);
  const tempo = createTempo({ engine: 'simulated', host: harness.server, ...more } as TempoOptions);
  return { harness, tempo };
}

const completions = (tempo: Tempo) => tempo.app('chat').chat.completions;

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe('`ready`', () => {
  it('rejects with `disposed` when the Tempo ends during a load, even one that hangs', async () => {
    const { tempo } = start({ onLoad: () => new Promise(() => {}) });
    const ready = failure(tempo.ready);
    await tick();
    const gone = tempo.dispose();
    expect(await ready).toMatchObject({ code: 'disposed' });
    await gone;
  });

  it('rejects where the server has ended with another Tempo, and says so', async () => {
    const host = new TempoServer();
    const first = createTempo({ engine: 'simulated', host });
    await first.ready;
    await first.dispose();
    const second = createTempo({ engine: 'simulated', host });
    expect(await failure(second.ready)).toMatchObject({
      code: 'disposed',
      message: expect.stringContaining('a server of its own'),
    });
    expect(second.state.phase).toBe('failed');
  });

  it('tells of its end at once, and of no failure: React ends what it has just begun', async () => {
    const { tempo } = start({ onLoad: () => tick(50) });
    const phases: string[] = [];
    tempo.onState(({ phase }) => phases.push(phase));
    const gone = tempo.dispose();
    expect(phases).toEqual(['loading', 'idle']);
    await gone;
    await tick(60);
    expect(phases).toEqual(['loading', 'idle']);
  });

  it('rejects with `aborted` when the first load is cancelled by `signal`', async () => {
    const controller = new AbortController();
    const { tempo } = start({ onLoad: () => tick(50) }, { signal: controller.signal });
    await tick();
    controller.abort();
    expect(await failure(tempo.ready)).toMatchObject({ name: 'AbortError', code: 'aborted' });
    expect(tempo.state).toEqual({ phase: 'idle' });
    await tempo.dispose();
  });

  it('rejects where the signal was aborted before, and nothing is loaded', async () => {
    let loads = 0;
    const { tempo } = start({ onLoad: () => loads++ }, { signal: AbortSignal.abort() });
    expect(await failure(tempo.ready)).toMatchObject({ code: 'aborted' });
    await tick();
    expect(loads).toBe(0);
    await tempo.dispose();
  });

  it('rejects with what is wrong with a first load that is refused, and the phase is `failed`', async () => {
    const { tempo } = start({}, { model: 'abacus' });
    expect(await failure(tempo.ready)).toMatchObject({ code: 'unknown_model', param: 'model' });
    expect(tempo.state).toMatchObject({ phase: 'failed', error: { code: 'unknown_model' } });
    await tempo.load({ engine: 'simulated' });
    expect(tempo.state.phase).toBe('ready');
    await tempo.dispose();
  });
});

describe('a load that its signal ends at the last moment', () => {
  it('leaves nothing loaded', async () => {
    const controller = new AbortController();
    const { tempo, harness } = start();
    await tempo.ready;
    let begun = false;
    tempo.onState(({ phase }) => {
      begun ||= phase === 'loading';
      if (begun && phase === 'ready') controller.abort();
    });
    const loading = failure(tempo.load({ engine: 'simulated' }, { signal: controller.signal }));
    expect(await loading).toMatchObject({ code: 'aborted' });
    await tick();
    expect(tempo.state.phase).toBe('idle');
    expect(harness.device.disposed).toBe(true);
    await tempo.dispose();
  });
});

describe('what is undefined or null', () => {
  it('is the default', async () => {
    const nothing = { model: undefined, policy: undefined, alpha: null, maxWaiting: undefined };
    const { tempo } = start({}, nothing);
    await tempo.ready;
    expect(tempo.state).toMatchObject({ phase: 'ready', engine: { model: 'laptop-gpu' } });
    await tempo.load({ engine: 'simulated', model: undefined, policy: undefined });
    await completions(tempo).create({ ...HELLO, max_tokens: 1 }, null);
    await completions(tempo).create({ ...HELLO, max_tokens: 1 }, { signal: null });
    await tempo.dispose();
  });

  it('is a typed error where something is needed', async () => {
    const nothing = null as never;
    expect(thrownBy(() => createTempo(nothing))).toMatchObject({ code: 'invalid_request' });
    const { tempo } = start();
    expect(thrownBy(() => tempo.program(nothing))).toMatchObject({ code: 'invalid_request' });
    const none = { code: 'invalid_request' };
    expect(await failure(completions(tempo).create(nothing))).toMatchObject(none);
    expect(await failure(tempo.load(nothing))).toMatchObject(none);
    await tempo.dispose();
  });
});

describe('a listener', () => {
  it('that comes late gets the current state at once', async () => {
    const { tempo } = start();
    await tempo.ready;
    const seen: ServerState[] = [];
    tempo.onState((state) => seen.push(state));
    expect(seen.map(({ phase }) => phase)).toEqual(['ready']);
    await tempo.dispose();
  });

  it('that comes first sees the load begin', async () => {
    const { tempo } = start();
    const phases: string[] = [];
    tempo.onState(({ phase }) => phases.push(phase));
    await tempo.ready;
    expect(phases[0]).toBe('loading');
    expect(phases.at(-1)).toBe('ready');
    await tempo.dispose();
  });

  it('hears of no idleness between a load’s begin and its end, from another thread either', async () => {
    const { port1, port2 } = new MessageChannel();
    serve(new TempoServer(), port1);
    const tempo = createTempo({ engine: 'simulated', worker: port2 });
    const phases = new Set<string>();
    tempo.onState(({ phase }) => phases.add(phase));
    await tempo.ready;
    expect([...phases]).toEqual(['loading', 'ready']);
    await tempo.dispose();
    port1.close();
  });
});

it('methods work without their object', async () => {
  const { tempo } = start();
  const { app, program, load, unload, onState, watch, setPolicy, exportProfile, dispose } = tempo;
  const { setSlo, chat } = app('chat');
  const { create } = chat.completions;
  const stop = onState(() => {});
  stop();
  watch(() => {})();
  await setPolicy('edf');
  await setSlo({ class: 'best-effort' });
  const { final, abort } = await create({ ...HELLO, max_tokens: 3, stream: true });
  expect((await final()).usage.completion_tokens).toBe(3);
  abort();
  const { end, chat: ofProgram } = program({ app: 'agent', deadline: 60_000 });
  await ofProgram.completions.create({ ...HELLO, max_tokens: 1 });
  expect((await end()).calls).toBe(1);
  await exportProfile();
  await unload();
  await load({ engine: 'simulated' });
  await dispose();
});

it('`await using` ends a Tempo', async () => {
  const { tempo } = start();
  await tempo.ready;
  await tempo[Symbol.asyncDispose]();
  expect(await failure(completions(tempo).create(HELLO))).toMatchObject({ code: 'disposed' });
});

describe('unloading', () => {
  it('fails what is open, lets go of the engine, and leaves room for another', async () => {
    const { tempo, harness } = start();
    await tempo.ready;
    const open = failure(completions(tempo).create({ ...HELLO, ignore_eos: true }));
    await tick();
    await tempo.unload();
    expect(await open).toMatchObject({ code: 'disposed' });
    expect(harness.device.disposed).toBe(true);
    expect(tempo.state.phase).toBe('idle');
    expect(await failure(completions(tempo).create(HELLO))).toMatchObject({ code: 'not_loaded' });
    await tempo.load({ engine: 'simulated' });
    await completions(tempo).create({ ...HELLO, max_tokens: 1 });
    await tempo.dispose();
  });
});

describe('a stream', () => {
  it('has one reader: a second is told so, and the first gets everything', async () => {
    const { tempo } = start();
    const stream = await completions(tempo).create({
      ...HELLO,
      simulate: { content: 'All for the first.' },
      stream: true,
    });
    let text = '';
    const read = async () => {
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    };
    const first = read();
    expect(await failure(read())).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('already consumed'),
    });
    await first;
    expect(text).toBe('All for the first.');
    expect(await failure(read())).toMatchObject({ code: 'invalid_request' });
    await tempo.dispose();
  });

  it('gives its whole answer, read or not', async () => {
    const { tempo } = start();
    const params = {
      ...HELLO,
      n: 2,
      tools: [{ type: 'function', function: { name: 'clock' } }],
      simulate: { content: 'One moment.', tool_calls: [{ name: 'clock', arguments: { z: 1 } }] },
    } satisfies ChatCompletionParams;
    const whole = await completions(tempo).create(params);
    const unread = await completions(tempo).create({ ...params, stream: true });
    const read = await completions(tempo).create({ ...params, stream: true });
    const answers = Promise.all([unread.final(), read.final(), read.final()]);
    for await (const _ of read);
    for (const answer of await answers) {
      expect(answer.object).toBe('chat.completion');
      expect(answer.choices.map(({ message }) => message.content)).toEqual(
        whole.choices.map(({ message }) => message.content),
      );
      expect(answer.choices[1].message.tool_calls?.[0].function).toEqual({
        name: 'clock',
        arguments: '{"z":1}',
      });
      expect(answer.usage.completion_tokens).toBe(whole.usage.completion_tokens);
    }
    await tempo.dispose();
  });

  it('that was aborted has no whole answer', async () => {
    const { tempo } = start();
    const stream = await completions(tempo).create({ ...HELLO, ignore_eos: true, stream: true });
    const answer = failure(stream.final());
    stream.abort();
    expect(await answer).toMatchObject({ code: 'aborted' });
    await tempo.dispose();
  });

  it('whose server fails it says so in its whole answer', async () => {
    const { tempo } = start();
    const stream = await completions(tempo).create({ ...HELLO, ignore_eos: true, stream: true });
    const answer = failure(stream.final());
    await tempo.dispose();
    expect(await answer).toMatchObject({ code: 'disposed' });
  });
});

describe('a timeout', () => {
  it('is told from an abort', async () => {
    const { tempo } = start({ mishap: () => {} });
    const signal = AbortSignal.timeout(5);
    const error = await failure(
      completions(tempo).create({ ...HELLO, ignore_eos: true }, { signal }),
    );
    expect(error).toMatchObject({ name: 'TimeoutError', code: 'timeout', status: 408 });
    await tempo.dispose();
  });

  it('of a load is one, too', async () => {
    const { tempo } = start({ onLoad: () => tick(100) }, { signal: AbortSignal.timeout(5) });
    expect(await failure(tempo.ready)).toMatchObject({ code: 'timeout' });
    await tempo.dispose();
  });

  it('keeps the reason of an abort as its cause', async () => {
    const { tempo } = start();
    const reason = new Error('the reader left');
    const error = await failure(
      completions(tempo).create(HELLO, { signal: AbortSignal.abort(reason) }),
    );
    expect(error).toMatchObject({ code: 'aborted', cause: reason });
    await tempo.dispose();
  });

  it('that is no signal is refused', async () => {
    const { tempo } = start();
    const signal = 'soon' as unknown as AbortSignal;
    expect(await failure(completions(tempo).create(HELLO, { signal }))).toMatchObject({
      code: 'invalid_request',
      param: 'signal',
    });
    await tempo.dispose();
  });
});

describe('a request', () => {
  it('may be made of proxies, as Vue and MobX make them', async () => {
    const reactive = <T extends object>(value: T): T =>
      new Proxy(value, {
        get(target, key, receiver) {
          const field: unknown = Reflect.get(target, key, receiver);
          return typeof field === 'object' && field !== null ? reactive(field) : field;
        },
      });
    const { tempo } = start();
    const params = reactive({
      messages: [{ role: 'user' as const, content: 'Hello' }],
      simulate: { content: 'Plain enough.' },
    });
    const answer = await completions(tempo).create(params);
    expect(answer.choices[0].message.content).toBe('Plain enough.');
    await tempo.dispose();
  });

  it('is as it was when it was made, whatever becomes of the object', async () => {
    const { tempo } = start({ onLoad: () => tick(20) });
    const params = { messages: [{ role: 'user' as const, content: 'Hi' }], max_tokens: 2 };
    const answer = completions(tempo).create(params);
    params.max_tokens = 20;
    expect((await answer).usage.completion_tokens).toBe(2);
    await tempo.dispose();
  });

  const odd: [string, unknown, string][] = [
    ['a function', { ...HELLO, onDone: () => {} }, 'onDone'],
    ['a symbol', { ...HELLO, stop: [Symbol('end')] }, 'stop[0]'],
    [
      'a function within',
      { messages: [{ role: 'user', content: 'Hi', render: () => {} }] },
      'messages[0].render',
    ],
    [
      'a getter that throws',
      {
        messages: [
          {
            role: 'user',
            get content() {
              throw new Error('gone');
            },
            f() {},
          },
        ],
      },
      'messages[0].content',
    ],
  ];
  it.each(odd)('with %s is refused, and the field is named', async (_, params, param) => {
    const { tempo } = start();
    const error = await failure(completions(tempo).create(params as ChatCompletionParams));
    expect(error).toBeInstanceOf(TempoError);
    expect(error).toMatchObject({ code: 'invalid_request', param });
    await tempo.dispose();
  });

  it.each([1e9, Number.POSITIVE_INFINITY, Number.NaN, -3, 1.5])(
    'with n: %d is refused at once',
    async (n) => {
      const { tempo } = start();
      expect(await failure(completions(tempo).create({ ...HELLO, n }))).toMatchObject({
        code: 'invalid_request',
        param: 'n',
      });
      await tempo.dispose();
    },
  );
});

it('a host and a worker at once are refused', () => {
  const { harness } = start();
  const { port1 } = new MessageChannel();
  const options = { engine: 'simulated', host: harness.server, worker: port1 } as const;
  expect(thrownBy(() => createTempo(options))).toMatchObject({ code: 'invalid_request' });
  port1.close();
});

describe('a load whose code does not arrive', () => {
  it('keeps no request from the engine that is loaded, and can be cancelled', async () => {
    const { harness } = start();
    const stalled: EngineKind = {
      check: () => new Promise(() => {}),
      load: () => Promise.reject(new Error('not reached')),
    };
    const simulated: EngineKind = {
      check: async () => {},
      load: (_, options) => loadSimulatedEngine(options),
    };
    await harness.server.dispose();
    const server = new TempoServer({ engines: { simulated, webllm: stalled } });
    const tempo = createTempo({ engine: 'simulated', host: server });
    await tempo.ready;
    const controller = new AbortController();
    const loading = failure(tempo.load({ model: 'any' }, { signal: controller.signal }));
    const answer = await completions(tempo).create({ ...HELLO, max_tokens: 2 });
    expect(answer.choices[0].finish_reason).toBe('length');
    const beginMs = performance.now();
    controller.abort();
    expect(await loading).toMatchObject({ code: 'aborted' });
    expect(performance.now() - beginMs).toBeLessThan(1000);
    expect(tempo.state.phase).toBe('ready');
    await tempo.dispose();
  });
});

describe('a worker that answers no more', () => {
  it('is noticed, what was open fails, and it can be loaded again', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { harness } = start();
    const lines: { deaf: boolean }[] = [];
    const worker = () => {
      const line = { deaf: false };
      lines.push(line);
      const { port1, port2 } = new MessageChannel();
      const ends = [port1, port2];
      const endpoint: TempoPort = {
        postMessage: (message: unknown, transfer: Transferable[] = []) =>
          line.deaf ? undefined : port1.postMessage(message, transfer),
        addEventListener: port1.addEventListener.bind(port1),
        removeEventListener: port1.removeEventListener.bind(port1),
        start: () => port1.start(),
        close: () => ends.map((port) => port.close()),
      } as never;
      serve(harness.server, port2);
      return endpoint;
    };
    const tempo = createTempo({ engine: 'simulated', worker });
    await tempo.ready;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tempo.state.phase).toBe('ready');
    lines[0].deaf = true;
    const lost = failure(completions(tempo).create(HELLO));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await lost).toMatchObject({ code: 'worker_crashed' });
    expect(tempo.state.phase).toBe('failed');
    await tempo.load({ engine: 'simulated' });
    expect(
      (await completions(tempo).create({ ...HELLO, max_tokens: 2 })).usage.completion_tokens,
    ).toBe(2);
    expect(lines).toHaveLength(2);
    await tempo.dispose();
    vi.useRealTimers();
  });
});
