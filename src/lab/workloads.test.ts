import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEVICE_PROFILES } from '../engine/simulated';
import { TempoError } from '../scheduler';
import { parseMix, parseSlo } from './objectives';
import { firstTokens, tokensIn } from './passage';
import { makeWorkload, type WorkloadSpec } from './spec';
import { traceWorkload } from './trace-workload';
import { parseTrace } from './traces';
import { leastMs } from './work';
import { callsOf, classOf, requestCount, type Workload } from './workload';

const SPEC: WorkloadSpec = { name: 'paper', requests: 3000, load: 1, seed: 1 };

function quantile(values: number[], q: number): number {
  return values.sort((a, b) => a - b)[Math.floor(q * values.length)];
}

function shares(workload: Workload): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const arrival of workload.arrivals) {
    const name = classOf(arrival);
    counts[name] = (counts[name] ?? 0) + 1 / workload.arrivals.length;
  }
  return counts;
}

describe('the paper workload', () => {
  const paper = makeWorkload(SPEC);

  it('is a third latency, a third deadline and a third programs, as many requests as asked for', () => {
    for (const share of Object.values(shares(paper))) expect(share).toBeCloseTo(1 / 3, 1);
    expect(requestCount(paper.arrivals)).toBeGreaterThanOrEqual(3000);
    expect(requestCount(paper.arrivals)).toBeLessThan(3015);
  });

  it('scales the base objective by 1 to 4, a program by its stages too', () => {
    const scales = new Set<number>();
    for (const arrival of paper.arrivals) {
      if (arrival.kind === 'program')
        scales.add(arrival.deadlineMs / arrival.stages.length / 10_000);
      else if (arrival.slo.class === 'latency') {
        scales.add(arrival.slo.ttft / 1000);
        expect(arrival.slo.tbt * 10).toBe(arrival.slo.ttft);
      } else if (arrival.slo.class === 'deadline') scales.add(arrival.slo.ttlt / 10_000);
    }
    expect([...scales].sort()).toEqual([1, 2, 3, 4]);
  });

  it('is the same for the same seed, and another for another', () => {
    expect(makeWorkload(SPEC)).toEqual(paper);
    expect(makeWorkload({ ...SPEC, seed: 2 }).arrivals[5]).not.toEqual(paper.arrivals[5]);
  });

  it('arrives, at load 1, over the time that its work takes; at load 2, in half of it', () => {
    const ends = [1, 2].map((load) => makeWorkload({ ...SPEC, load }).arrivals.at(-1)?.atMs ?? 0);
    expect(ends[0] / ends[1]).toBeCloseTo(2, 6);
    const p = paper.profile;
    let work = { memberships: 0, tokens: 0, contextTokens: 0 };
    for (const { promptTokens, outputTokens } of paper.arrivals.flatMap(callsOf)) {
      const decodes = outputTokens - 1;
      work = {
        memberships: work.memberships + Math.ceil(promptTokens / p.maxPrefillTokens) + decodes,
        tokens: work.tokens + promptTokens + decodes,
        contextTokens:
          work.contextTokens + promptTokens * outputTokens + (decodes * outputTokens) / 2,
      };
    }
    const n = paper.arrivals.length;
    expect((ends[0] * n) / (n - 1)).toBeCloseTo(leastMs(work, p), 0);
  });

  it('comes in bursts when asked to', () => {
    const bursty = makeWorkload({ ...SPEC, pattern: { kind: 'bursty', variation: 4 } });
    const gaps = bursty.arrivals
      .slice(1)
      .map((arrival, i) => arrival.atMs - bursty.arrivals[i].atMs);
    const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.sqrt(variance) / mean).toBeGreaterThan(2.5);
  });
});

describe('the page workload', () => {
  const page = makeWorkload({ ...SPEC, name: 'page', requests: 1000 });

  it('fits a browser: 8 sequences, prompts within half the context', () => {
    expect(page.profile.maxBatch).toBe(8);
    for (const { promptTokens } of page.arrivals.flatMap(callsOf)) {
      expect(promptTokens).toBeLessThanOrEqual(page.profile.contextWindow);
    }
  });

  it('has turns that go on from one another, and agents that go on from their own calls', () => {
    const agent = page.arrivals.find((a) => a.kind === 'program' && a.stages.length > 2);
    const [first, second] = agent === undefined ? [] : callsOf(agent);
    const shared = tokensIn(first.prefix ?? []);
    expect(shared).toBeGreaterThan(320);
    expect(firstTokens(second.prefix ?? [], shared)).toEqual(first.prefix);
  });

  it('has a backlog without deadlines', () => {
    expect(shares(page)['best-effort']).toBeCloseTo(0.2, 1);
  });
});

describe('objectives and mixes', () => {
  it('are read as they are written', () => {
    expect(parseMix('1:0:2:1')).toEqual([1, 0, 2, 1]);
    expect(parseSlo('1,0.1,10')).toEqual({ ttft: 1000, tbt: 100, ttlt: 10_000 });
  });

  it.each(['1:1:1', '0:0:0:0', '1:-1:0:0', 'a:b:c:d'])('refuse the mix %s', (text) => {
    expect(() => parseMix(text)).toThrow(TempoError);
  });

  it.each(['1,2', '0,1,1', '1,x,3'])('refuse the objective %s', (text) => {
    expect(() => parseSlo(text)).toThrow(TempoError);
  });
});

describe('a trace workload', () => {
  const rows = Array.from({ length: 400 }, (_, i) => ({
    promptTokens: 100 + i,
    outputTokens: 50,
    atMs: 1000 * i * i,
  }));
  const options = { requests: 400, load: 1, seed: 1 };

  it('keeps the rhythm of the trace, scaled to the load', () => {
    const { arrivals } = traceWorkload({ kind: 'requests', rows }, 't', {
      ...options,
      mix: [1, 1, 0, 0],
    });
    expect(arrivals).toHaveLength(400);
    expect(arrivals[200].atMs / arrivals[100].atMs).toBeCloseTo(4, 6);
  });

  it('joins what falls to programs to chains of calls', () => {
    const { arrivals } = traceWorkload({ kind: 'requests', rows }, 't', {
      ...options,
      mix: [0, 0, 1, 0],
    });
    for (const arrival of arrivals.slice(0, -1)) {
      expect(callsOf(arrival).length).toBeGreaterThanOrEqual(2);
      expect(callsOf(arrival).length).toBeLessThanOrEqual(12);
    }
    expect(requestCount(arrivals)).toBe(400);
  });

  it('leaves out what the device cannot hold, and says so when that is everything', () => {
    const trace = { kind: 'requests' as const, rows: [{ promptTokens: 5000, outputTokens: 1 }] };
    const profile = DEVICE_PROFILES['laptop-gpu'];
    expect(() => traceWorkload(trace, 't.csv', { ...options, profile })).toThrow(/no request fits/);
  });
});

/** The public traces, read in place where they are. */
const TRACES = '../shared/traces';

describe.skipIf(!existsSync(TRACES))('the generators, beside the public traces', () => {
  it("draw chat lengths whose quantiles are the trace's, to a tenth", () => {
    const file = `${TRACES}/azure-2023-conv.csv`;
    const trace = parseTrace(readFileSync(file, 'utf8'), file);
    const rows = trace.kind === 'requests' ? trace.rows : [];
    const drawn = makeWorkload({ ...SPEC, requests: 9000, mix: [1, 0, 0, 0] }).arrivals.flatMap(
      callsOf,
    );
    for (const of of ['promptTokens', 'outputTokens'] as const) {
      for (const q of [0.1, 0.25, 0.5, 0.75, 0.9, 0.95]) {
        const real = quantile(
          rows.map((row) => row[of]),
          q,
        );
        const ours = quantile(
          drawn.map((call) => call[of]),
          q,
        );
        expect(Math.abs(ours / real - 1), `${of} at ${q}: ${ours} for ${real}`).toBeLessThan(0.15);
      }
    }
  });

  it('draw programs with the calls, prompts and outputs of the traced ones, to a fifth', () => {
    const file = `${TRACES}/deep-research.json`;
    const trace = parseTrace(readFileSync(file, 'utf8'), file);
    const real = trace.kind === 'programs' ? trace.programs : [];
    const ours = makeWorkload({ ...SPEC, requests: 9000, mix: [0, 0, 1, 0] }).arrivals;
    const mean = (of: (program: { promptTokens: number; outputTokens: number }[]) => number) => [
      real.reduce((sum, program) => sum + of(program.flat()), 0) / real.length,
      ours.reduce((sum, program) => sum + of([...callsOf(program)]), 0) / ours.length,
    ];
    const sum = (key: 'promptTokens' | 'outputTokens') =>
      mean((calls) => calls.reduce((total, call) => total + call[key], 0));
    for (const [traced, drawn] of [
      mean((calls) => calls.length),
      sum('promptTokens'),
      sum('outputTokens'),
    ]) {
      expect(Math.abs(drawn / traced - 1), `${drawn} for ${traced}`).toBeLessThan(0.2);
    }
  });

  it.each([
    'azure-2023-code.csv',
    'mooncake-conversation.jsonl',
    'arxiv-summarization.csv',
    'deep-research.json',
  ])('make a workload of %s', (name) => {
    const trace = parseTrace(readFileSync(`${TRACES}/${name}`, 'utf8'), name);
    const workload = traceWorkload(trace, name, { requests: 500, load: 1, seed: 1 });
    expect(requestCount(workload.arrivals)).toBeGreaterThanOrEqual(490);
  });
});
