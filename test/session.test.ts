/** Several pages on one server, each through a port of its own. */
import { afterEach, describe, expect, it } from 'vitest';
import { type ChatCompletionParams, createTempo, type Tempo } from '../src/client';
import { Harness, type HarnessOptions } from '../src/server/testing/harness';
import { serve } from '../src/worker/serve';

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] } satisfies ChatCompletionParams;
const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

function shared(options?: HarnessOptions) {
  const harness = new Harness(options);
  const page = (model = 'laptop-gpu'): Tempo => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    serve(harness.server, port2);
    return createTempo({ engine: 'simulated', model, worker: port1 });
  };
  return { harness, page };
}

const ask = (tempo: Tempo, more: Partial<ChatCompletionParams> = {}) =>
  tempo.app('chat').chat.completions.create({ ...HELLO, ...more, stream: false });

describe('pages on one server', () => {
  it('load its engine once, and all are ready', async () => {
    let loads = 0;
    const { page } = shared({ onLoad: () => ++loads && tick(20) });
    const first = page();
    const second = page();
    await Promise.all([first.ready, second.ready]);
    const third = page();
    await third.ready;
    expect(loads).toBe(1);
    expect(third.state.phase).toBe('ready');
    const answers = await Promise.all(
      [first, second, third].map((tempo, i) => ask(tempo, { simulate: { content: `To ${i}.` } })),
    );
    expect(answers.map(({ choices }) => choices[0].message.content)).toEqual([
      'To 0.',
      'To 1.',
      'To 2.',
    ]);
  });

  it('load anew what another has without the embedding models that they need', async () => {
    let loads = 0;
    const { page, harness } = shared({ onLoad: () => ++loads });
    await page().ready;
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    serve(harness.server, port2);
    const options = { engine: 'simulated', embeddingModels: ['little'] } as const;
    const searching = createTempo({ ...options, worker: port1 });
    await searching.ready;
    expect(loads).toBe(2);
    expect((await searching.app('search').embeddings.create({ input: 'one' })).model).toBe(
      'little',
    );
    await page().ready; // it has all that this one needs
    expect(loads).toBe(2);
  });

  it('of which one leaves, lose nothing', async () => {
    const { page, harness } = shared();
    const leaving = page();
    const staying = page();
    await Promise.all([leaving.ready, staying.ready]);
    const lost = failure(ask(leaving, { ignore_eos: true }));
    const kept = ask(staying, { simulate: { content: 'Still here, to the end.' } });
    await tick();
    await leaving.dispose();
    expect(await lost).toMatchObject({ code: 'disposed' });
    expect((await kept).choices[0].message.content).toBe('Still here, to the end.');
    await tick(20);
    expect(harness.device.disposed).toBe(false);
    expect(harness.device.usedPages).toBe(0);
    await ask(staying, { max_tokens: 1 });
  });

  it('of which one is torn away, get its pages back', async () => {
    const { page, harness } = shared();
    const torn = page();
    const staying = page();
    await Promise.all([torn.ready, staying.ready]);
    void failure(ask(torn, { ignore_eos: true }));
    await tick(10);
    expect(harness.device.usedPages).toBeGreaterThan(0);
    ports[0].close();
    await tick(30);
    expect(harness.device.usedPages).toBe(0);
    await ask(staying, { max_tokens: 1 });
  });

  it('may stop waiting for a load without ending it for the others', async () => {
    const { page } = shared({ onLoad: () => tick(40) });
    const first = page();
    await tick();
    const second = page();
    const controller = new AbortController();
    const loading = failure(second.load({ engine: 'simulated' }, { signal: controller.signal }));
    await tick();
    controller.abort();
    expect(await loading).toMatchObject({ code: 'aborted' });
    await first.ready;
    await ask(first, { max_tokens: 1 });
  });

  it('cannot abort one another’s requests, nor hear of them', async () => {
    const { page, harness } = shared();
    const [one, two] = [page(), page()];
    await Promise.all([one.ready, two.ready]);
    const heard: string[] = [];
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    const eavesdropper = new (await import('../src/worker/session')).Session(harness.server);
    await eavesdropper.listen((events) => void heard.push(...events.map(({ id }) => id)));
    const stream = await one
      .app('chat')
      .chat.completions.create({ ...HELLO, max_tokens: 20, stream: true });
    await eavesdropper.abort(stream.id);
    expect((await stream.final()).usage.completion_tokens).toBeGreaterThan(0);
    expect(heard).toEqual([]);
    await two.dispose();
  });
});

it('a port that closes fails what waits, and says so', async () => {
  const { page } = shared();
  const tempo = page();
  await tempo.ready;
  const open = failure(ask(tempo, { ignore_eos: true }));
  await tick();
  ports[1].close();
  expect(await open).toMatchObject({ code: 'worker_crashed' });
  expect(tempo.state).toMatchObject({ phase: 'failed' });
});
