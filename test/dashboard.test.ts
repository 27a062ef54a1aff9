import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTempo, type Tempo } from '../src/client';
import { Monitor, monitorOf } from '../src/dashboard/monitor';
import { TempoServer } from '../src/server';

const tempos: Tempo[] = [];

afterEach(async () => {
  await Promise.all(tempos.splice(0).map((tempo) => tempo.dispose()));
});

/** A Tempo on a real server in this thread. */
async function start(): Promise<Tempo> {
  const tempo = createTempo({ engine: 'simulated', host: new TempoServer() });
  tempos.push(tempo);
  await tempo.ready;
  return tempo;
}

const ask = (tempo: Tempo, app: string, more: object = {}) =>
  tempo.app(app).chat.completions.create({
    messages: [{ role: 'user', content: 'Go on' }],
    max_tokens: 5,
    ...more,
  });

describe('where there are no elements', () => {
  it('the dashboard can be imported, and defines nothing', async () => {
    expect(globalThis.HTMLElement).toBeUndefined();
    const { TempoDashboard, defineTempoDashboard } = await import('../src/dashboard');
    expect(() => defineTempoDashboard('engine-room')).not.toThrow();
    expect(TempoDashboard).toBeTypeOf('function');
  });
});

describe('a monitor', () => {
  it('is one for all dashboards of a Tempo, and watches while somebody listens', async () => {
    const tempo = await start();
    const monitor = monitorOf(tempo);
    expect(monitorOf(tempo)).toBe(monitor);
    const [first, second] = [vi.fn(), vi.fn()];
    const stops = [monitor.subscribe(first), monitor.subscribe(second)];
    await ask(tempo, 'chat');
    await vi.waitFor(() => expect(monitor.snapshot?.metrics.byApp.chat?.finished).toBe(1));
    await vi.waitFor(() => expect(second).toHaveBeenCalled());
    for (const stop of stops) stop();
    const { snapshot } = monitor;
    const calls = first.mock.calls.length;
    await ask(tempo, 'chat');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(monitor.snapshot).toBe(snapshot);
    expect(first).toHaveBeenCalledTimes(calls);
    const stop = monitor.subscribe(first);
    await vi.waitFor(() => expect(monitor.snapshot?.metrics.byApp.chat?.finished).toBe(2));
    stop();
  });

  it('tells a few times a second, and of the last change too', async () => {
    const tempo = await start();
    const monitor = monitorOf(tempo);
    const told: number[] = [];
    const stop = monitor.subscribe(() => told.push(performance.now()));
    await ask(tempo, 'chat', { max_tokens: 60, ignore_eos: true });
    const finished = () => monitor.snapshot?.metrics.byApp.chat?.finished;
    await vi.waitFor(() => expect(finished()).toBe(1));
    const atMs = performance.now();
    await vi.waitFor(() => expect(told.at(-1)).toBeGreaterThan(atMs - 1));
    stop();
    const gaps = told.slice(1).map((ms, i) => ms - told[i]);
    for (const gap of gaps) expect(gap).toBeGreaterThan(240);
    expect(told.length).toBeGreaterThan(2);
  });

  it('goes on telling the others when one of them throws', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    const monitor = monitorOf(await start());
    const other = vi.fn();
    const stops = [
      monitor.subscribe(() => {
        throw new Error('not today');
      }),
      monitor.subscribe(other),
    ];
    await vi.waitFor(() => expect(other).toHaveBeenCalled());
    expect(shown).toHaveBeenCalled();
    for (const stop of stops) stop();
    shown.mockRestore();
  });

  it('marks another policy and another engine on the timeline', async () => {
    const tempo = await start();
    const monitor = monitorOf(tempo);
    const stop = monitor.subscribe(() => {});
    await ask(tempo, 'chat');
    await vi.waitFor(() => expect(monitor.history.spans).toHaveLength(1));
    await tempo.setPolicy('fcfs');
    await vi.waitFor(() => expect(monitor.history.marks.map(({ text }) => text)).toEqual(['fcfs']));
    await tempo.load({ engine: 'simulated', model: 'desktop-gpu' });
    await vi.waitFor(() => expect(monitor.history.marks.at(-1)?.text).toBe('desktop-gpu'));
    stop();
  });

  it('judges each request under the policy under which it arrived, and a program once it ends', async () => {
    const tempo = await start();
    const monitor = monitorOf(tempo);
    const stop = monitor.subscribe(() => {});
    const slo = { class: 'latency', ttft: 5000, tbt: 500 } as const;
    const long = ask(tempo, 'chat', { slo, max_tokens: 60, ignore_eos: true });
    await vi.waitFor(() => expect(monitor.snapshot?.requests).toHaveLength(1));
    await tempo.setPolicy('webllm');
    await long;
    const { ledger } = monitor;
    await vi.waitFor(() => expect(ledger.previous?.account('chat').judged).toBe(1));
    expect(ledger.previous).toMatchObject({ policy: 'tempo' });
    expect(ledger.previous?.account('chat').tbt.count).toBe(59);
    expect(ledger.current).toMatchObject({ policy: 'webllm' });
    expect(ledger.current?.account('chat').judged).toBe(0);

    const program = tempo.program({ app: 'agent', deadline: 5000 });
    const call = { messages: [{ role: 'user' as const, content: 'Go on' }], max_tokens: 5 };
    await program.chat.completions.create(call);
    await vi.waitFor(() => expect(ledger.current?.account('agent').finished).toBe(1));
    expect(ledger.current?.account('agent').share).toBeUndefined();
    await program.end();
    await ask(tempo, 'other');
    await vi.waitFor(() =>
      expect(ledger.current?.account('agent')).toMatchObject({
        unit: 'program',
        met: 1,
        judged: 1,
      }),
    );
    stop();
  });

  it('knows what an app asks for: by itself, or else with its requests', async () => {
    const tempo = await start();
    const monitor = monitorOf(tempo);
    const stop = monitor.subscribe(() => {});
    const own = { class: 'latency', ttft: 900, tbt: 90 } as const;
    tempo.app('chat', { slo: own });
    expect(monitor.sloOf('chat')).toEqual(own);
    expect(monitor.sloOf('extract')).toEqual({ class: 'best-effort' });
    const slo = { class: 'deadline', ttlt: 5000 } as const;
    await ask(tempo, 'extract', { slo, max_tokens: 40, ignore_eos: true });
    expect(monitor.sloOf('extract')).toEqual(slo);
    stop();
  });

  it('of no Tempo is empty', () => {
    const monitor = new Monitor();
    const listener = vi.fn();
    monitor.subscribe(listener)();
    expect(monitor.state).toBeUndefined();
    expect(monitor.sloOf('chat')).toBeUndefined();
    expect(monitor.history.live).toBe(false);
    expect(listener).not.toHaveBeenCalled();
  });
});
