import { describe, expect, it } from 'vitest';
import type { RequestTrace, Snapshot, StepTrace } from '../client';
import { StepHistory } from './step-history';

const request = (id: string, more: Partial<RequestTrace> = {}): RequestTrace => ({
  id,
  app: 'chat',
  stage: 'reply',
  class: 'latency',
  slo: { class: 'latency', ttft: 500, tbt: 50 },
  state: 'decode',
  arrivalMs: 0,
  promptTokens: 10,
  computedTokens: 10,
  generatedTokens: 1,
  maxTokens: 100,
  ...more,
});

const step = (number: number, ids: string[]): StepTrace => ({
  number,
  startMs: number * 10,
  endMs: number * 10 + 9,
  work: ids.map((requestId) => ({ requestId, app: 'chat', kind: 'decode', tokens: 1 })),
  preempted: [],
  finished: [],
});

function snapshot(atMs: number, requests: RequestTrace[], steps: StepTrace[] = []): Snapshot {
  return {
    atMs,
    requests,
    steps,
    plan: [],
    capacity: { maxBatch: 8, maxSequences: 16, contextWindow: 4096 },
  } as unknown as Snapshot;
}

describe('the step history', () => {
  it('gives live requests lanes of their own and a free lane to the next', () => {
    const history = new StepHistory();
    history.add(snapshot(100, [request('a'), request('b')]));
    history.add(snapshot(200, [request('b')]));
    history.add(snapshot(300, [request('b'), request('c')]));
    expect(['a', 'b', 'c'].map((id) => history.span(id)?.lane)).toEqual([0, 1, 0]);
    expect(history.span('a')?.endMs).toBe(200);
    expect(history.span('b')?.endMs).toBeUndefined();
  });

  it('shows a request that came and went between two snapshots', () => {
    const history = new StepHistory();
    history.add(snapshot(100, [], [step(1, ['a']), step(2, ['a'])]));
    expect(history.span('a')).toMatchObject({ startMs: 10, endMs: 29 });
    expect(history.live).toBe(false);
  });

  it('keeps the calls of a program in one lane, one after the other', () => {
    const history = new StepHistory();
    const call = (id: string, program: string) => request(id, { app: 'agent', program });
    history.add(snapshot(100, [call('a1', 'a'), call('b1', 'b')]));
    history.add(snapshot(200, []));
    history.add(snapshot(300, [call('b2', 'b')]));
    expect(history.span('b2')?.lane).toBe(1);
    expect(history.span('b2')?.after?.id).toBe('b1');
  });

  it('finds the step that ran at a time', () => {
    const history = new StepHistory();
    history.add(snapshot(100, [], [step(1, ['a']), step(2, ['a']), step(3, ['a'])]));
    expect(history.indexAt(25)).toBe(1);
    expect(history.indexAt(5)).toBe(-1);
  });

  it('learns from a step who was in time and who was late, and of the stopped neither', () => {
    const history = new StepHistory();
    history.add(snapshot(100, [request('a'), request('b'), request('c')]));
    const finished = [
      { requestId: 'a', app: 'chat', class: 'latency' as const, arrivalMs: 0, met: true },
      { requestId: 'b', app: 'chat', class: 'latency' as const, arrivalMs: 0, met: false },
    ];
    history.add(snapshot(200, [], [{ ...step(11, ['a', 'b', 'c']), finished }]));
    expect(['a', 'b', 'c'].map((id) => history.span(id)?.met)).toEqual([true, false, undefined]);
  });

  it('makes room for more requests of an app at once, up to sixteen side by side', () => {
    const history = new StepHistory();
    const ids = Array.from({ length: 18 }, (_, i) => `r${i}`);
    expect(history.lanesOf('chat')).toBe(2);
    history.add(
      snapshot(
        100,
        ids.slice(0, 3).map((id) => request(id)),
      ),
    );
    expect(history.lanesOf('chat')).toBe(4);
    history.add(
      snapshot(
        200,
        ids.map((id) => request(id)),
      ),
    );
    expect(history.lanesOf('chat')).toBe(16);
    expect(ids.map((id) => history.span(id)?.lane)).toEqual(ids.map((_, i) => Math.min(i, 15)));
  });

  it('forgets what is older than a minute, and starts anew with another clock', () => {
    const history = new StepHistory();
    history.add(snapshot(100, [], [step(1, ['a'])]));
    history.add(snapshot(70_000, [], [step(6999, ['b'])]));
    expect(history.steps.map((s) => s.number)).toEqual([6999]);
    history.add(snapshot(50, []));
    expect(history.steps).toEqual([]);
  });
});
