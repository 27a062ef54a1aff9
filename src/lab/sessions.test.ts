import { describe, expect, it } from 'vitest';
import { DEVICE_PROFILES } from '../engine/simulated';
import { createPolicy, type Request } from '../scheduler';
import { fluidBound } from './bound';
import { replay } from './replay';
import { traceWorkload } from './trace-workload';
import { parseTrace } from './traces';
import { sharedTokens } from './work';
import { callsOf } from './workload';

const CSV = [
  'session_id,arrival_time,round_idx,prefix_len,input_len,output_len,tool_wait_after_ms',
  'a,0,0,0,1000,20,2500',
  'a,0,1,997,50,40,4000',
  'a,0,2,1080,10,8,0',
  'b,0,0,0,300,10,1000',
  'b,0,1,100,310,10,0',
].join('\n');

const options = { requests: 5, load: 0.001, seed: 1 };
const workload = traceWorkload(parseTrace(CSV, 's.csv'), 's.csv', options);

describe('a workload of sessions', () => {
  it('gives programs the time that their tools take on top of their deadline', () => {
    const scales = workload.arrivals.map((arrival) => {
      const toolsMs = callsOf(arrival).length === 3 ? 6500 : 1000;
      const deadlineMs = arrival.kind === 'program' ? arrival.deadlineMs : Number.NaN;
      return (deadlineMs - toolsMs) / callsOf(arrival).length / 10_000;
    });
    expect(scales.length).toBe(2);
    for (const scale of scales) expect([1, 2, 3, 4]).toContain(scale);
  });

  it('finds as much of a prompt cached as the file says, and asks after the tools', async () => {
    const asked: Request[] = [];
    const watch = { submitted: (request: Request) => asked.push(request) };
    const scheduler = await replay(workload, { policy: createPolicy('sarathi'), watch });
    const cached = (prompt: number) =>
      asked.filter((r) => r.promptTokens === prompt).map((r) => r.cachedTokens);
    expect(cached(1000)).toEqual([0]);
    expect(cached(1047)).toEqual([997]);
    // The prompt of the round before and 33 of its answer's 40 tokens.
    expect(cached(1090)).toEqual([1080]);
    expect(cached(410)).toEqual([100]);
    const second = asked.find((r) => r.promptTokens === 1047);
    const first = asked.find((r) => r.promptTokens === 1000);
    expect(second?.arrivalMs).toBe((first?.endMs ?? 0) + 2500);
    expect(scheduler.live).toBe(0);
  });

  it('knows at best how much of each prompt need not be computed', () => {
    const shared = sharedTokens(workload.arrivals);
    const best = workload.arrivals
      .flatMap(callsOf)
      .map((call): [number, number | undefined] => [call.promptTokens, shared.get(call)])
      .sort(([a], [b]) => a - b);
    expect(best).toEqual([
      [300, 100],
      [410, 100],
      [1000, 997],
      // All of it is in the next, but a token is always computed.
      [1047, 1046],
      [1090, 1080],
    ]);
  });

  it('brings a session that comes again as another, which shares nothing with the first', async () => {
    const again = traceWorkload(parseTrace(CSV, 's.csv'), 's.csv', { ...options, requests: 10 });
    expect(again.arrivals.length).toBe(4);
    const cached: number[] = [];
    const watch = {
      submitted: (r: Request) => r.promptTokens === 1000 && cached.push(r.cachedTokens),
    };
    await replay(again, { policy: createPolicy('sarathi'), watch });
    expect(cached).toEqual([0, 0]);
  });

  it('never earns more than its bound, with prefixes lost to a small memory, too', async () => {
    const profile = { ...DEVICE_PROFILES['server-8b'], totalPages: 80 };
    for (const load of [0.001, 1, 4]) {
      const small = traceWorkload(parseTrace(CSV, 's.csv'), 's.csv', {
        ...options,
        load,
        requests: 20,
        profile,
      });
      const scheduler = await replay(small, { policy: createPolicy('tempo') });
      expect(scheduler.metrics.snapshot().total.gain).toBeLessThanOrEqual(
        fluidBound(small) * (1 + 1e-9),
      );
    }
  });
});
