/** What callers name is bounded in number, and who uses what there is of it keeps it. */
import { describe, expect, it } from 'vitest';
import { VirtualClock } from './clock';
import { createPolicy } from './policies';
import { Scheduler } from './scheduler';
import { CountingEngine } from './testing/counting-engine';

function scheduler() {
  const engine = new CountingEngine({ clock: new VirtualClock() });
  return new Scheduler({ policy: createPolicy('fcfs'), engine, costs: engine.costs });
}

let ids = 0;
function finish(of: Scheduler, app: string, stage = 'default', tokens = 7, program?: never) {
  const spec = { id: `r${ids++}`, app, stage, promptTokens: 20, maxTokens: 100, program };
  const request = of.submit({ ...spec, slo: { class: 'best-effort' } }, 0);
  request.generated = tokens;
  of.finish(request, 'stop', 1);
}

describe('names', () => {
  it('of apps and stages are forgotten before those that much is known of', () => {
    const one = scheduler();
    for (let i = 0; i < 100; i++) finish(one, 'chat', 'answer', 33);
    for (let i = 0; i < 3000; i++) finish(one, `app-${i}`, `stage-${i}`);
    for (let i = 0; i < 3000; i++) finish(one, 'other', `stage-${i}`);
    const lengths = Object.keys(one.lengths.export().lengths);
    expect(lengths.length).toBeLessThanOrEqual(1025);
    expect(lengths).toContain('chat/answer/4');
    expect(lengths).toContain('other/stage-2999/4');
    const { byApp, total } = one.metrics.snapshot();
    expect(Object.keys(byApp).length).toBeLessThanOrEqual(256);
    expect(byApp.chat.finished).toBe(100);
    expect(total.finished).toBe(6100);
  });

  it('may be those of what every object has', () => {
    const one = scheduler();
    for (const app of ['__proto__', 'constructor', 'toString']) finish(one, app, '__proto__');
    const { byApp } = one.metrics.snapshot();
    expect(Object.entries(byApp).map(([app, { finished }]) => [app, finished])).toEqual([
      ['__proto__', 1],
      ['constructor', 1],
      ['toString', 1],
    ]);
    expect(Object.keys(one.lengths.export().lengths)).toContain('__proto__/__proto__/4');
    one.startProgram({ id: 'p', app: 'a', kind: '__proto__', deadlineMs: 1000 }, 0);
    expect(JSON.stringify(one.graphs.export())).toBe('{"version":1,"graphs":{}}');
  });
});

describe('programs that are never ended', () => {
  const program = (id: string, app: string) => ({ id, app, deadlineMs: 24 * 3600_000 });

  it('make room for new ones, first those of the app that has most of them', () => {
    const one = scheduler();
    const kept = one.startProgram(program('mine', 'agent'), 0);
    for (let i = 0; i < 5000; i++) one.startProgram(program(`p${i}`, 'flood'), i);
    expect(one.programs.size).toBeLessThanOrEqual(2048);
    expect(one.programs.get('mine')).toBe(kept);
    expect(kept.ended).toBe(false);
  });

  it('go on while they have calls, however many have', () => {
    const one = scheduler();
    const spec = { app: 'a', promptTokens: 9, maxTokens: 9, slo: { class: 'program' } } as const;
    const calls = Array.from({ length: 3000 }, (_, i) => {
      const started = one.startProgram(program(`p${i}`, 'a'), 0);
      return one.submit({ id: `c${i}`, ...spec, program: started }, 0);
    });
    expect(one.programs.size).toBe(3000);
    for (const call of calls) one.end(call, { kind: 'aborted' }, 1);
    one.startProgram(program('more', 'a'), 2);
    expect(one.programs.size).toBeLessThanOrEqual(3000);
  });

  it('have a thousand calls at most', () => {
    const one = scheduler();
    const spec = { app: 'a', promptTokens: 9, maxTokens: 9, slo: { class: 'program' } } as const;
    const started = one.startProgram(program('p', 'a'), 0);
    const call = (i: number) => one.submit({ id: `call${i}`, ...spec, program: started }, 0);
    for (let i = 0; i < 1024; i++) call(i);
    expect(() => call(1024)).toThrow(/has had 1024 calls/);
  });
});
