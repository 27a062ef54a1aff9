import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../client';
import { Fates } from './fates';
import { type Verdict, verdictOf, verdictWords } from './verdict';

const verdict = (more: Partial<Verdict>): Verdict => ({
  a: 'tempo',
  b: 'sarathi',
  spanMs: 30_000,
  judged: 41,
  met: { a: 40, b: 27 },
  byApp: {},
  background: { a: 88, b: 100 },
  ...more,
});

describe('the verdict', () => {
  it('says who kept how many in time, and what it cost', () => {
    expect(verdictWords(verdict({}))).toBe(
      'Last 30 s, 41 requests: tempo 40 in time, sarathi 27. Cost: summaries 12% slower.',
    );
  });

  it('says so where A loses', () => {
    expect(verdictWords(verdict({ met: { a: 20, b: 27 } }))).toBe(
      'Last 30 s, 41 requests: tempo 20 in time, sarathi 27. tempo loses. Summaries are 12% slower.',
    );
    expect(
      verdictWords(verdict({ met: { a: 20, b: 27 }, background: { a: 120, b: 100 } })),
    ).toContain('tempo loses. But summaries are 20% faster.');
  });

  it('says so where nothing differs', () => {
    const same = { met: { a: 41, b: 41 }, background: { a: 100, b: 101 } };
    expect(verdictWords(verdict(same))).toBe(
      'Last 30 s, 41 requests: tempo 41 in time, sarathi 41. Nothing differs: there is room for everybody.',
    );
    expect(verdictWords(verdict({ ...same, met: { a: 12, b: 12 } }))).toMatch(/Nothing differs\.$/);
  });

  it('has nothing to say before anything has ended, and of a policy beside itself', () => {
    expect(verdictWords(verdict({ judged: 0 }))).toMatch(/^No request has come to its end/);
    expect(verdictWords(verdict({ b: 'tempo' }))).toContain('The rule is the same');
  });

  it('says nothing of the background where there was none, or no time to tell', () => {
    const words = 'Last 30 s, 41 requests: tempo 40 in time, sarathi 27.';
    expect(verdictWords(verdict({ background: { a: 0, b: 1 } }))).toBe(words);
    expect(verdictWords(verdict({ background: { a: 0, b: 80 } }))).toBe(
      `${words} Cost: summaries stand still.`,
    );
    expect(verdictWords(verdict({ background: { a: 80, b: 0 } }))).toBe(
      `${words} Summaries go on; under sarathi they stand still.`,
    );
    expect(verdictWords(verdict({ spanMs: 3000 }))).toBe(words.replace('30 s', '3 s'));
  });
});

type Told = Pick<Snapshot, 'atMs' | 'steps' | 'programs' | 'requests'>;
const told = (atMs: number, more: Partial<Told> = {}): Told => ({
  atMs,
  steps: [],
  programs: [],
  requests: [],
  ...more,
});

function finished(id: string, met: boolean, endMs: number): Told {
  const end = { requestId: id, app: 'chat', class: 'latency' as const, arrivalMs: 100, met };
  const step = { number: 1, startMs: endMs - 10, endMs, work: [], preempted: [], finished: [end] };
  return told(endMs, { steps: [step] });
}

function waiting(id: string, more: object = {}): Told['requests'][number] {
  return {
    id,
    app: 'chat',
    stage: 'reply',
    class: 'latency',
    slo: { class: 'latency', ttft: 800, tbt: 80 },
    state: 'waiting',
    arrivalMs: 100,
    dueMs: 900,
    promptTokens: 10,
    computedTokens: 0,
    generatedTokens: 0,
    maxTokens: 100,
    ...more,
  };
}

describe('what became of the requests', () => {
  it('counts those alone whose fate is known on both sides', () => {
    const [a, b] = [new Fates(), new Fates()];
    for (const id of ['x', 'y']) a.add(finished(id, true, 500));
    b.add(told(600, { requests: [waiting('x'), waiting('y')] }));
    const sides = () =>
      verdictOf({
        a: { policy: 'tempo', fates: a },
        b: { policy: 'fcfs', fates: b },
        sinceMs: 0,
        nowMs: 1000,
      });
    expect(sides().judged).toBe(0);
    // Overdue: it can no longer be in time, whatever comes.
    b.add(told(950, { requests: [waiting('x')], steps: finished('y', true, 900).steps }));
    expect(sides()).toMatchObject({
      judged: 2,
      met: { a: 2, b: 1 },
      byApp: { chat: { judged: 2, a: 2, b: 1 } },
    });
  });

  it('leaves out what arrived before the numbers count', () => {
    const fates = new Fates();
    fates.add(finished('x', true, 500));
    const side = { policy: 'tempo', fates } as const;
    expect(verdictOf({ a: side, b: side, sinceMs: 101, nowMs: 900 }).judged).toBe(0);
    expect(verdictOf({ a: side, b: side, sinceMs: 100, nowMs: 900 }).judged).toBe(1);
  });

  it('holds a stream late once more than 5% of its tokens must be', () => {
    const fates = new Fates();
    const streaming = (dueMs: number) =>
      waiting('x', { state: 'paused', generatedTokens: 5, dueMs });
    fates.add(told(2000, { requests: [streaming(1900)] }));
    expect(fates.get('x')?.met).toBeUndefined();
    fates.add(told(2600, { requests: [streaming(1900)] }));
    expect(fates.get('x')?.met).toBe(false);
  });

  it('holds late who left, and a program by its whole', () => {
    const fates = new Fates((id) => (id === 'stranger' ? undefined : id));
    fates.add(told(500, { requests: [waiting('x'), waiting('stranger')] }));
    fates.add(told(700));
    expect(fates.get('x')).toMatchObject({ met: false, endMs: 700 });
    const program = { id: 'p', app: 'agent', startMs: 100, deadlineMs: 900, endMs: 800 };
    fates.add(told(800, { programs: [program] }));
    expect(fates.get('p')).toMatchObject({ met: true, endMs: 800 });
    expect(fates.all.map(({ id }) => id)).toEqual(['x', 'p']);
  });
});
