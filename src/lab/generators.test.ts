import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../scheduler';
import { agentTurns } from './agents';
import { tokensIn } from './passage';
import { REASONING_ARRIVALS, reasoningRequests } from './reasoning';
import { makeWorkload } from './spec';
import { parseTrace, type Trace, type TraceProgram, type TraceRow } from './traces';
import { requestCount } from './workload';

/** The quantiles at 10, 50, 90 and 99%, and the mean. */
type Figures = readonly [number, number, number, number, number];

/** What docs/lab.md has of the traces. */
const AGENTS: Record<string, Figures> = {
  rounds: [2, 5, 15, 24, 6.7],
  'first prompt': [2756, 6610, 9281, 14308, 6423],
  prompt: [3145, 6853, 9650, 14507, 6741],
  'new tokens': [16, 51, 218, 1572, 135],
  output: [115, 249, 965, 3643, 469],
  'tool wait': [4710, 10110, 41000, 99500, 17469],
};
const REASONING: Record<string, Figures> = {
  prompt: [27, 266, 4265, 13538, 1302],
  output: [289, 779, 2406, 12998, 1399],
  'gap / mean gap': [0.077, 0.66, 2.39, 4.85, 1],
};

function figures(values: readonly number[]): Figures {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.floor(q * sorted.length)];
  const mean = sorted.reduce((a, b) => a + b, 0) / sorted.length;
  return [at(0.1), at(0.5), at(0.9), at(0.99), mean];
}

/** Tokens of each round's prompt that the round before does not have. */
function newTokens(rows: readonly TraceRow[]): number[] {
  return rows.slice(1).map((row, i) => {
    const before = rows[i].prefix ?? [];
    let shared = 0;
    for (const [n, { from, tokens }] of (row.prefix ?? []).entries()) {
      if (before[n]?.from !== from) break;
      shared += Math.min(tokens, before[n].tokens);
    }
    return row.promptTokens - shared;
  });
}

function agentFigures(programs: readonly TraceProgram[]): Record<string, Figures> {
  const turns = programs.map((program) => program.flat());
  const rows = turns.flat();
  return {
    rounds: figures(turns.map((turn) => turn.length)),
    'first prompt': figures(turns.map(([first]) => first.promptTokens)),
    prompt: figures(rows.map((row) => row.promptTokens)),
    'new tokens': figures(turns.flatMap(newTokens)),
    output: figures(rows.map((row) => row.outputTokens)),
    'tool wait': figures(turns.flatMap((t) => t.slice(0, -1).map((row) => row.toolWaitMs ?? 0))),
  };
}

function gapsOf(rows: readonly TraceRow[]): number[] {
  const gaps = rows.slice(1).map((row, i) => (row.atMs ?? 0) - (rows[i].atMs ?? 0));
  const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
  return gaps.map((gap) => gap / mean);
}

function reasoningFigures(rows: readonly TraceRow[]): Record<string, Figures> {
  return {
    prompt: figures(rows.map((row) => row.promptTokens)),
    output: figures(rows.map((row) => row.outputTokens)),
    'gap / mean gap': figures(gapsOf(rows)),
  };
}

/** Variance of the arrivals in stretches of `count` over their mean: 1 for Poisson's. */
function dispersion(rows: readonly TraceRow[], count: number): number {
  let now = 0;
  const counts: number[] = [];
  for (const gap of gapsOf(rows)) {
    now += gap;
    const stretch = Math.floor(now / count);
    while (counts.length <= stretch) counts.push(0);
    counts[stretch]++;
  }
  counts.pop();
  const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
  return counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / counts.length / mean;
}

function expectClose(ours: Record<string, Figures>, theirs: Record<string, Figures>): void {
  for (const [of, wanted] of Object.entries(theirs)) {
    for (const [i, value] of wanted.entries()) {
      // The largest hundredth and the mean that it moves are known less well.
      const tolerance = i >= 3 ? 0.25 : 0.15;
      const ratio = ours[of][i] / value;
      expect(Math.abs(ratio - 1), `${of}, figure ${i}: ${ours[of][i]} for ${value}`).toBeLessThan(
        tolerance,
      );
    }
  }
}

describe('turns of agents', () => {
  const turns = agentTurns(20_000, seededRandom(5));

  it('are, in their quantiles, those of the recorded ones', () => {
    expectClose(agentFigures(turns), AGENTS);
  });

  it('go on from the round before, but for the few that are written anew', () => {
    const rounds = turns.flatMap((turn) =>
      turn
        .flat()
        .slice(1)
        .map((row, i) => [turn.flat()[i], row]),
    );
    const grown = rounds.filter(([before, row]) => row.promptTokens >= before.promptTokens);
    expect(grown.length / rounds.length).toBeGreaterThan(0.99);
    const anew = rounds.filter(([before, row]) => {
      const kept = before.promptTokens - (before.promptTokens % 4);
      return tokensIn((row.prefix ?? []).slice(0, -1)) < kept;
    });
    expect(anew.length / rounds.length).toBeCloseTo(0.0075, 2);
    expect(anew.length).toBeGreaterThan(0);
  });

  it('have prompts that their passages spell out, and texts that no two turns share', () => {
    const rows = turns.flat(2);
    expect(rows.filter((row) => tokensIn(row.prefix ?? []) !== row.promptTokens)).toEqual([]);
    const owners = new Map<number, number>();
    const shared = turns.flatMap((turn, i) =>
      turn.flat().flatMap((row) =>
        (row.prefix ?? []).filter(({ from }) => {
          const owner = owners.get(from) ?? i;
          owners.set(from, owner);
          return owner !== i;
        }),
      ),
    );
    expect(shared).toEqual([]);
  });

  it('answer at length when they have before', () => {
    const pairs = turns.flatMap((turn) => {
      const logs = turn.flat().map((row) => Math.log(row.outputTokens));
      return logs.slice(1).map((log, i): [number, number] => [logs[i], log]);
    });
    expect(correlation(pairs)).toBeGreaterThan(0.15);
    expect(correlation(pairs)).toBeLessThan(0.3);
  });
});

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[at], 0) / pairs.length;
  const [x, y] = [mean(0), mean(1)];
  const sum = (f: (a: number, b: number) => number) =>
    pairs.reduce((total, [a, b]) => total + f(a - x, b - y), 0);
  return sum((a, b) => a * b) / Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b));
}

describe('requests of a reasoning model', () => {
  const rows = reasoningRequests(20_000, REASONING_ARRIVALS, seededRandom(5));

  it('are, in their quantiles, those of the recorded clients', () => {
    expectClose(reasoningFigures(rows), REASONING);
  });

  it('come as unevenly, over seconds and over a minute', () => {
    const gaps = gapsOf(rows);
    const variation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - 1) ** 2, 0) / gaps.length);
    expect(variation).toBeCloseTo(1.05, 1);
    expect(dispersion(rows, 250)).toBeGreaterThan(2);
    expect(dispersion(rows, 250)).toBeLessThan(5);
  });

  it('are thought about for longest where little is asked', () => {
    const median = (least: number, most: number) =>
      figures(
        rows
          .filter((row) => row.promptTokens >= least && row.promptTokens < most)
          .map((row) => row.outputTokens),
      )[1];
    expect(median(0, 240)).toBeGreaterThan(1300);
    expect(median(240, 280)).toBeLessThan(600);
  });
});

describe.each(['agents', 'reasoning'])('the workload of %s', (name) => {
  const spec = { name, requests: 300, load: 1, seed: 3 };

  it('is the same for the same seed, and another for another', () => {
    expect(makeWorkload(spec)).toEqual(makeWorkload(spec));
    expect(makeWorkload({ ...spec, seed: 4 }).arrivals[0]).not.toEqual(
      makeWorkload(spec).arrivals[0],
    );
  });

  it('has as many requests as asked for, or a program more, in order of time', () => {
    const { arrivals } = makeWorkload(spec);
    expect(requestCount(arrivals)).toBeGreaterThanOrEqual(300);
    expect(requestCount(arrivals)).toBeLessThan(330);
    const times = arrivals.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

/** The public traces, read in place where they are. */
const TRACES = '../shared/traces';

describe.skipIf(!existsSync(TRACES))('the figures of the documentation', () => {
  const read = (name: string): Trace => parseTrace(readFileSync(`${TRACES}/${name}`, 'utf8'), name);

  it('are those of the traces', () => {
    const agents = read('claude-code-turns.csv');
    const reasoning = read('servegen-deepseek-r1.csv');
    const close = (ours: Record<string, Figures>, theirs: Record<string, Figures>) => {
      for (const [of, wanted] of Object.entries(theirs)) {
        for (const [i, value] of wanted.entries()) {
          expect(Math.abs(ours[of][i] / value - 1), `${of}, figure ${i}`).toBeLessThan(0.01);
        }
      }
    };
    close(agentFigures(agents.kind === 'programs' ? agents.programs : []), AGENTS);
    close(reasoningFigures(reasoning.kind === 'requests' ? reasoning.rows : []), REASONING);
  });
});
