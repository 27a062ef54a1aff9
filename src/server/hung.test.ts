import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSimulatedEngine } from '../engine/simulated';
import type { StepEngine } from '../engine/step-engine';
import { FIRST_STEP_PATIENCE_MS } from './engine-socket';
import type { EngineKind } from './engines';
import { DISPOSE_WITHIN_MS, MAX_LOSSES } from './recovery';
import { LOAD_SILENT_MS, RELOAD_SILENT_MS, TempoServer } from './server';
import { STEP_WITHIN_MS } from './serving';
import { codeOf, Harness } from './testing/harness';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const STRIDE_MS = 50;
const LONGEST_MS = 10 * 60_000;

/** Lets time go by until `promise` is over; returns what it came to, and how long that took, ms. */
async function inTime<T>(promise: Promise<T>): Promise<{ value: T; tookMs: number }> {
  let over = false;
  let tookMs = 0;
  const end = () => {
    over = true;
  };
  promise.then(end, end);
  while (!over && tookMs < LONGEST_MS) {
    await new Promise((resolve) => setImmediate(resolve)); // messages between ports
    if (over) break;
    await vi.advanceTimersByTimeAsync(STRIDE_MS);
    tookMs += STRIDE_MS;
  }
  if (!over) throw new Error(`It hangs: ${tookMs} ms went by.`);
  return { value: await promise, tookMs };
}

const BOUND_MS = STEP_WITHIN_MS + DISPOSE_WITHIN_MS + STRIDE_MS;

function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A server whose engine hangs in its `at`-th step, with a request in it. */
async function hung(at: number, until: Promise<void>) {
  const harness: Harness = new Harness({
    mishap: (step, device) => {
      if (step === at) device.hangsUntil = until;
    },
  });
  await inTime(harness.loaded());
  const { receipt, answer, id } = harness.submit({ ignore_eos: true, max_tokens: 50 });
  expect((await inTime(receipt)).value.ok).toBe(true);
  while (harness.steps < at) await inTime(new Promise((resolve) => setImmediate(resolve)));
  return { harness, answer, id };
}

describe('an engine that hangs in a step', () => {
  it('does not keep the next from being loaded', async () => {
    const { harness, answer } = await hung(4, new Promise(() => {}));
    const { value, tookMs } = await inTime(harness.load());
    expect(value.ok).toBe(true);
    expect(tookMs).toBeLessThanOrEqual(BOUND_MS);
    expect(tookMs).toBeGreaterThanOrEqual(STEP_WITHIN_MS);
    expect(codeOf((await inTime(answer)).value)).toBe('disposed');
    const next = await inTime(harness.ask({ simulate: { content: 'Here I am.' } }));
    expect(next.value.texts).toEqual(['Here I am.']);
    expect(harness.devices[0].disposed).toBe(true);
  });

  it('does not keep the server from being disposed of', async () => {
    const { harness, answer } = await hung(2, new Promise(() => {}));
    const { tookMs } = await inTime(harness.server.dispose());
    expect(tookMs).toBeLessThanOrEqual(BOUND_MS);
    expect(codeOf((await inTime(answer)).value)).toBe('disposed');
    expect(harness.states.at(-1)?.phase).toBe('idle');
  });

  it('tells its caller at once when the request is aborted', async () => {
    const { harness, answer, id } = await hung(3, new Promise(() => {}));
    await harness.server.abort(id);
    const { value, tookMs } = await inTime(answer);
    expect(codeOf(value)).toBe('aborted');
    expect(tookMs).toBeLessThan(STEP_WITHIN_MS);
    await inTime(harness.server.dispose());
  });

  it('and comes back when nobody waits any more reaches nobody', async () => {
    const { opened, open } = gate();
    const { harness, answer, id } = await hung(4, opened);
    await inTime(harness.load());
    await inTime(answer);
    const before = harness.events.length;
    const states = harness.states.length;
    open();
    await inTime(new Promise((resolve) => setTimeout(resolve, 1000)));
    expect(harness.events.length).toBe(before);
    expect(harness.states.length).toBe(states);
    expect(harness.ends(id)).toBe(1);
    expect(harness.devices[0].steps).toBe(4);
    const next = await inTime(harness.ask({ simulate: { content: 'Unharmed.' } }));
    expect(next.value.texts).toEqual(['Unharmed.']);
  });

  it('is waited for no longer than its step takes', async () => {
    const { opened, open } = gate();
    const { harness } = await hung(4, opened);
    const loading = harness.load();
    await vi.advanceTimersByTimeAsync(500);
    open();
    const { value, tookMs } = await inTime(loading);
    expect(value.ok).toBe(true);
    expect(tookMs).toBeLessThan(1000);
  });
});

describe('a load that takes no notice of its cancellation', () => {
  it('is given up, and the engine that comes of it later is let go of', async () => {
    const { opened, open } = gate();
    const engines: StepEngine[] = [];
    const disposed: StepEngine[] = [];
    let loads = 0;
    const kind: EngineKind = {
      check: async () => {},
      async load() {
        if (loads++ === 0) await opened;
        const engine = await loadSimulatedEngine({ profile: 'laptop-gpu' });
        engines.push(engine);
        vi.spyOn(engine, 'dispose').mockImplementation(async () => void disposed.push(engine));
        return engine;
      },
    };
    const server = new TempoServer({ engines: { simulated: kind } });
    const load = () => server.load({ engine: 'simulated', model: 'm', policy: 'tempo' });
    const loading = load();
    await inTime(new Promise((resolve) => setImmediate(resolve)));
    await server.cancelLoad();
    const { value, tookMs } = await inTime(loading);
    expect(value).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(tookMs).toBeLessThanOrEqual(DISPOSE_WITHIN_MS + STRIDE_MS);
    expect((await inTime(load())).value.ok).toBe(true);
    expect(engines).toHaveLength(1);
    open();
    await inTime(new Promise((resolve) => setTimeout(resolve, 1000)));
    expect(engines).toHaveLength(2);
    expect(disposed).toEqual([engines[1]]);
  });
});

const forever = () => new Promise<void>(() => {});

describe('an engine that hangs, where nobody does anything about it,', () => {
  it('in a step is taken for lost, and the text goes on where it was', async () => {
    const { harness, answer } = await hung(4, forever());
    const { value, tookMs } = await inTime(answer);
    expect(codeOf(value)).toBe('done');
    expect(tookMs).toBeLessThan(FIRST_STEP_PATIENCE_MS + 10_000);
    expect(tookMs).toBeGreaterThanOrEqual(FIRST_STEP_PATIENCE_MS);
    expect(harness.devices).toHaveLength(2);
    expect(harness.states.map(({ phase }) => phase).slice(-2)).toEqual(['recovering', 'ready']);
    await inTime(harness.server.dispose());
  });

  it('in a step is noticed sooner once it has taken many', async () => {
    const { harness, answer } = await hung(40, forever());
    const { value, tookMs } = await inTime(answer);
    expect(codeOf(value)).toBe('done');
    expect(tookMs).toBeLessThan(FIRST_STEP_PATIENCE_MS / 2);
    await inTime(harness.server.dispose());
  });

  it('while it copies a sequence out is taken for lost, too', async () => {
    const harness = new Harness({
      capabilities: { swap: true },
      profile: { totalPages: 12, maxSequences: 4 },
    });
    await inTime(harness.loaded({ policy: 'sarathi' }));
    harness.device.swapOut = forever;
    const all = [1, 2, 3].map((seed) => harness.ask({ seed, max_tokens: 60, ignore_eos: true }));
    const { value } = await inTime(Promise.all(all));
    expect(value.map(codeOf)).toEqual(['done', 'done', 'done']);
    expect(harness.devices.length).toBeGreaterThan(1);
  });

  it('while it is loaded again fails what waits for it, and can be loaded', async () => {
    let hangs = true;
    const harness: Harness = new Harness({
      onLoad: (load) => (load > 1 && hangs ? forever() : undefined),
    });
    await inTime(harness.loaded());
    const { answer } = harness.submit({ max_tokens: 50 });
    harness.device.lose();
    const { value, tookMs } = await inTime(answer);
    expect(codeOf(value)).toBe('engine_lost');
    expect(tookMs).toBeLessThan(MAX_LOSSES * (RELOAD_SILENT_MS + 5000));
    expect(harness.states.at(-1)?.phase).toBe('failed');
    hangs = false;
    expect((await inTime(harness.load())).value.ok).toBe(true);
    expect(codeOf((await inTime(harness.ask({}))).value)).toBe('done');
  });

  it('in its first load fails it', async () => {
    const harness = new Harness({ onLoad: (load) => (load === 1 ? forever() : undefined) });
    const { value, tookMs } = await inTime(harness.load());
    expect(value).toMatchObject({ ok: false, error: { code: 'network' } });
    expect(tookMs).toBeLessThan(LOAD_SILENT_MS + 5000);
    expect((await inTime(harness.load())).value.ok).toBe(true);
  });

  it('with the model for embeddings keeps no chat waiting for long', async () => {
    let embeds = 0;
    const harness = new Harness({ onEmbed: () => (++embeds === 1 ? forever() : undefined) });
    await inTime(harness.loaded({ embeddingModels: ['small'] }));
    const vectors = harness.embed({ input: 'a text' });
    const chat = await inTime(harness.ask({ max_tokens: 20 }));
    expect(codeOf(chat.value)).toBe('done');
    expect(chat.tookMs).toBeLessThan(FIRST_STEP_PATIENCE_MS + 5000);
    expect((await inTime(vectors)).value.ok).toBe(true);
    await inTime(harness.server.dispose());
  });
});

describe('a load that is cancelled', () => {
  it('ends within a second while the engine before hangs, and the next waits for that', async () => {
    const { harness } = await hung(4, forever());
    const loading = harness.load();
    await inTime(new Promise((resolve) => setTimeout(resolve, 100)));
    await harness.server.cancelLoad();
    const { value, tookMs } = await inTime(loading);
    expect(value).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(tookMs).toBeLessThan(1000);
    expect(harness.states.at(-1)?.phase).toBe('idle');
    const next = await inTime(harness.load());
    expect(next.value.ok).toBe(true);
    expect(next.tookMs).toBeLessThanOrEqual(BOUND_MS);
    expect(harness.devices[0].disposed).toBe(true);
  });

  it('ends within a second while embedding models hang, too', async () => {
    const harness = new Harness({ onLoad: forever });
    const loading = harness.load({ embeddingModels: ['small'] });
    await inTime(new Promise((resolve) => setTimeout(resolve, 100)));
    harness.embedders[0].dispose = forever;
    await harness.server.cancelLoad();
    expect((await inTime(loading)).tookMs).toBeLessThan(1000);
  });

  it('ends at once while its code does not arrive, and what was loaded goes on', async () => {
    const kind = (check: () => Promise<void>): EngineKind => ({
      check,
      load: (_, options) => loadSimulatedEngine({ profile: 'laptop-gpu', ...options }),
    });
    const server = new TempoServer({
      engines: { simulated: kind(async () => {}), webllm: kind(forever) },
    });
    const phases: string[] = [];
    await server.listenState(({ phase }) => void phases.push(phase));
    const config = { engine: 'simulated', model: 'laptop-gpu', policy: 'tempo' } as const;
    expect((await inTime(server.load(config))).value.ok).toBe(true);
    const loading = server.load({ ...config, engine: 'webllm' });
    await inTime(new Promise((resolve) => setTimeout(resolve, 100)));
    const params = { messages: [{ role: 'user' as const, content: 'Hi' }] };
    const slo = { class: 'best-effort' } as const;
    const receipt = await inTime(server.submit({ id: 'a', app: 'chat', slo, params }));
    expect(receipt.value.ok).toBe(true);
    await server.cancelLoad();
    const { value, tookMs } = await inTime(loading);
    expect(value).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(tookMs).toBeLessThanOrEqual(STRIDE_MS);
    expect(phases.at(-1)).toBe('ready');
    // Whoever joins asks for what is there, and not for what did not come.
    expect(server.joinable(config)).toBeDefined();
    await inTime(server.dispose());
  });
});
