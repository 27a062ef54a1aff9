import { describe, expect, it } from 'vitest';
import { Program } from '../program';
import { Request } from '../request';
import { type Future, ProgramHistory } from './program-history';

let number = 0;
type Stage = [label: string, fanOut: number, promptTokens: number, outputTokens: number];

/** A program as it looks once these stages have run, one after another; the last one may still run. */
function program(stages: Stage[], { running = false, slo = 60_000 } = {}): Program {
  const made = new Program({ id: `p${number++}`, app: 'agent', deadlineMs: slo }, 0);
  stages.forEach(([stage, fanOut, promptTokens, outputTokens], i) => {
    const calls = Array.from({ length: fanOut }, () => {
      const id = `r${number++}`;
      const spec = { id, app: 'agent', stage, promptTokens, maxTokens: 1024, program: made };
      return new Request({ ...spec, slo: { class: 'program' } }, 1000 * i, number);
    });
    for (const call of calls) made.join(call);
    if (running && i === stages.length - 1) return;
    for (const call of calls) {
      call.generated = outputTokens;
      call.end = { kind: 'finished', reason: 'stop' };
      call.endMs = 1000 * i + 900;
      made.leave(call);
    }
  });
  return made;
}

const PLAN: Stage = ['plan', 1, 400, 60];
const SEARCH: Stage = ['search', 3, 200, 300];
const REPORT: Stage = ['report', 1, 2000, 700];

type Part = Exclude<keyof Future, 'weight'>;

/** Mean of a part of the work that comes after the program's current stage. */
function mean(history: ProgramHistory, running: Program, part: Part): number {
  return history.futures(running).reduce((sum, future) => sum + future.weight * future[part], 0);
}

describe('ProgramHistory', () => {
  it('takes calls that arrive side by side for one stage', () => {
    const { stages } = program([PLAN, SEARCH, REPORT]);
    expect(stages.map((stage) => [stage.label, stage.fanOut])).toEqual([
      ['plan', 1],
      ['search', 3],
      ['report', 1],
    ]);
  });

  it('guesses, without history, that work takes a good part of the time allowed', () => {
    const history = new ProgramHistory();
    const soon = history.futures(program([PLAN], { running: true, slo: 10_000 }), 20)[0];
    const later = history.futures(program([PLAN], { running: true, slo: 100_000 }), 20)[0];
    expect(soon.longestTokens).toBeGreaterThan(0);
    expect(later.longestTokens).toBeGreaterThan(2 * soon.longestTokens);
  });

  it('tells prompt tokens that have to be computed from those that a cached prefix covers', () => {
    const history = new ProgramHistory();
    for (let i = 0; i < 30; i++) {
      const made = program([PLAN, REPORT]);
      made.calls[1].cachedTokens = 1800;
      history.record(made);
    }
    const running = program([PLAN], { running: true });
    const later = (part: Part) => mean(history, running, part);
    expect(later('promptTokens') / 2000).toBeCloseTo(1, 1);
    expect(later('freshTokens') / 200).toBeCloseTo(1, 0);
    expect(later('longestPromptTokens')).toBeCloseTo(later('freshTokens'), 5);
  });

  it('forecasts what programs of a kind did after the same stage, gaps included', () => {
    const history = new ProgramHistory();
    for (let i = 0; i < 30; i++) history.record(program([PLAN, SEARCH, REPORT]));
    const running = program([PLAN], { running: true });
    const later = (part: Part) => mean(history, running, part);
    expect(later('stages')).toBeCloseTo(2, 0);
    expect(later('outputTokens') / (3 * 300 + 700)).toBeCloseTo(1, 1);
    expect(later('longestTokens') / (300 + 700)).toBeCloseTo(1, 1);
    expect(later('gapMs')).toBeGreaterThan(150);
  });

  it('refines at each call: after the last stage nothing is left', () => {
    const history = new ProgramHistory();
    for (let i = 0; i < 30; i++) history.record(program([PLAN, SEARCH, REPORT]));
    const running = program([PLAN, SEARCH, REPORT], { running: true });
    expect(mean(history, running, 'stages')).toBeLessThan(0.1);
  });

  it('finds its place in loops that go on longer than any before', () => {
    const history = new ProgramHistory();
    const rounds = (count: number) => Array.from({ length: count }, () => SEARCH);
    for (let i = 0; i < 30; i++) history.record(program([PLAN, ...rounds(1 + (i % 3)), REPORT]));
    const long = program([PLAN, ...rounds(6)], { running: true });
    const stages = mean(history, long, 'stages');
    expect(stages).toBeGreaterThan(0.8);
    expect(stages).toBeLessThan(3);
  });

  it('holds both futures possible where a stage sometimes never comes', () => {
    const history = new ProgramHistory();
    for (let i = 0; i < 40; i++) {
      history.record(program(i % 2 === 0 ? [PLAN, REPORT] : [PLAN, SEARCH, REPORT]));
    }
    const futures = history.futures(program([PLAN], { running: true }));
    const withSearch = futures.filter((f) => f.stages === 2).reduce((sum, f) => sum + f.weight, 0);
    expect(withSearch).toBeGreaterThan(0.2);
    expect(withSearch).toBeLessThan(0.8);
    expect(futures.reduce((sum, f) => sum + f.weight, 0)).toBeCloseTo(1);
  });

  it('learns nothing from a program one of whose calls was aborted', () => {
    const history = new ProgramHistory();
    const broken = program([PLAN, REPORT]);
    broken.calls[1].end = { kind: 'aborted' };
    history.record(broken);
    expect(history.export()).toEqual(new ProgramHistory().export());
  });

  it('passes on what it has learnt', () => {
    const [teacher, pupil] = [new ProgramHistory(), new ProgramHistory()];
    for (let i = 0; i < 20; i++) teacher.record(program([PLAN, REPORT]));
    pupil.merge(JSON.parse(JSON.stringify(teacher.export())));
    const running = program([PLAN], { running: true });
    expect(mean(pupil, running, 'outputTokens')).toBeCloseTo(
      mean(teacher, running, 'outputTokens'),
    );
  });
});
