/** What a page passes to the client, right or wrong: to a server in its own thread, and through a port. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTempo, type Tempo } from '../src/client';
import { TempoServer } from '../src/server';
import { serve } from '../src/worker/serve';

const HELLO = { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 2 };

const failure = (run: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(run)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

describe.each(['in its own thread', 'through a port'])('a client of a server %s', (place) => {
  let tempo: Tempo;
  let close = () => {};

  beforeEach(() => {
    const server = new TempoServer();
    if (place === 'in its own thread') {
      tempo = createTempo({ engine: 'simulated', host: server });
      return;
    }
    const { port1, port2 } = new MessageChannel();
    serve(server, port1);
    tempo = createTempo({ engine: 'simulated', worker: port2 });
    close = () => port1.close();
  });
  afterEach(async () => {
    await tempo.dispose();
    close();
  });

  /** As a caller without types has it. */
  const create = (params: object, app = tempo.app('chat')) =>
    app.chat.completions.create(Object.assign({ messages: [] }, params));

  it('is told once a page what is ignored of its requests', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    // The words for another field each time: the page is the same in both places.
    const field = place === 'in its own thread' ? 'metadata' : 'user';
    const value = field === 'user' ? 'user-1' : { session: '1' };
    for (let i = 0; i < 3; i++) await create({ ...HELLO, [field]: value, store: false });
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(new RegExp(`^Tempo: ${field} is ignored: .+\\.$`))],
    ]);
    warn.mockRestore();
  });

  const nothing = null as never;
  it.each<[string, () => unknown, string, string | undefined]>([
    ['createTempo', () => createTempo(nothing), 'invalid_request', undefined],
    ['an app’s name', () => tempo.app(nothing), 'invalid_request', 'app'],
    ['a program', () => tempo.program(nothing), 'invalid_request', undefined],
    ['a load', () => tempo.load(nothing), 'invalid_request', undefined],
    [
      'a request',
      () => tempo.app('x').chat.completions.create(nothing),
      'invalid_request',
      'messages',
    ],
    ['a request to count', () => tempo.countTokens(nothing), 'invalid_request', 'params'],
    ['messages', () => create({ messages: null }), 'invalid_request', 'messages'],
    ['an objective', () => tempo.app('x').setSlo(nothing), 'invalid_slo', 'slo.class'],
    ['a policy', () => tempo.setPolicy(nothing), 'unknown_policy', 'policy'],
    ['a profile', () => tempo.importProfile(nothing), 'invalid_request', 'profile'],
    [
      'a program’s deadline',
      () => tempo.program({ app: 'x', deadline: nothing }).end(),
      'invalid_slo',
      'deadline',
    ],
  ])('gets a typed error for null in place of %s', async (_, run, code, param) => {
    await tempo.ready;
    const error = await failure(run);
    expect(error).toMatchObject({ name: 'TempoError', code });
    expect(Reflect.get(Object(error), 'param')).toBe(param);
  });

  it('may leave out what is optional with null', async () => {
    const app = tempo.app('x', nothing);
    expect(app.slo).toEqual({ class: 'best-effort' });
    await create({ ...HELLO, slo: null, stage: null, stream: null, n: null, tools: null }, app);
    await app.chat.completions.create(HELLO as never, nothing);
    const program = tempo.program({ app: 'x', deadline: 5000, kind: nothing });
    expect((await program.end()).met).toBe(true);
  });

  it.each<[string, () => unknown, string]>([
    ['a load', () => tempo.load(Object({ onProgress: () => {} })), 'onProgress'],
    ['a request', () => create({ ...HELLO, stop: [() => 'x'] }), 'stop[0]'],
    [
      'a program',
      () => tempo.program(Object({ app: 'x', deadline: 5, kind: () => 'x' })).end(),
      'kind',
    ],
  ])('gets the field’s name for a function in %s', async (_, run, param) => {
    await tempo.ready;
    expect(await failure(run)).toMatchObject({ code: 'invalid_request', param });
  });

  it('gets the name of a field that nobody knows', async () => {
    await tempo.ready;
    const bad = [
      () => create({ ...HELLO, min_p: 5 }),
      () => tempo.load(Object({ min_p: 5 })),
      () => tempo.program(Object({ app: 'x', deadline: 5000, min_p: 5 })).end(),
    ];
    for (const run of bad) {
      expect(await failure(run)).toMatchObject({ code: 'invalid_request', param: 'min_p' });
    }
    expect(tempo.state.phase).toBe('ready');
  });

  it('gets the name of an option that nobody knows, before anything is asked for', async () => {
    const slo = { class: 'latency', ttft: 800, tbt: 80 };
    expect(await failure(() => tempo.app('x', Object(slo)))).toMatchObject({ param: 'class' });
    const inTime = Object({ timeout: 5000 });
    for (const run of [
      () => tempo.app('x').chat.completions.create(HELLO as never, inTime),
      () => tempo.app('x').completions.create({ prompt: 'x' }, inTime),
      () => tempo.app('x').embeddings.create({ input: 'x' }, inTime),
      () => tempo.load({ engine: 'simulated' }, inTime),
    ]) {
      expect(await failure(run)).toMatchObject({ code: 'invalid_request', param: 'timeout' });
    }
    const unset = Object({ timeout: undefined, headers: null });
    await tempo.app('x', unset).chat.completions.create(HELLO as never, unset);
  });

  it('gets a typed error for a listener that cannot be called', async () => {
    const logged = vi.spyOn(console, 'error');
    for (const run of [() => tempo.onState(nothing), () => tempo.watch(nothing)]) {
      expect(await failure(run)).toMatchObject({ code: 'invalid_request', param: 'listener' });
    }
    await tempo.ready;
    expect(logged).not.toHaveBeenCalled();
    logged.mockRestore();
  });

  it.each([
    ['no server', Object({})],
    ['the class of servers', Object(TempoServer)],
  ])('gets a typed error for a host that is %s', async (_, host) => {
    const run = () => createTempo({ engine: 'simulated', host });
    expect(await failure(run)).toMatchObject({ code: 'invalid_request', param: 'host' });
  });

  it('may pass what only looks like data: proxies, as Vue and MobX make them', async () => {
    const observed = new Proxy({ class: 'deadline' as const, ttlt: 5000 }, {});
    const app = tempo.app('x');
    await tempo.ready;
    await app.setSlo(observed);
    const params = new Proxy({ messages: new Proxy(HELLO.messages, {}), max_tokens: 2 }, {});
    await create(params, app);
  });

  it('may begin to load and cancel it at once', async () => {
    await tempo.ready;
    const controller = new AbortController();
    const loading = failure(() =>
      tempo.load({ engine: 'simulated', model: 'laptop-gpu' }, { signal: controller.signal }),
    );
    await Promise.resolve();
    controller.abort();
    expect(await loading).toMatchObject({ code: 'aborted' });
  });
});
