import { describe, expect, it } from 'vitest';
import { jitserve } from './jitserve';
import { TableTop } from './table-top';

describe('jitserve', () => {
  it('runs the densest: gain per time still needed', () => {
    const top = new TableTop(jitserve(), { maxBatch: 1 });
    top.teach('app', 50);
    const slo = { class: 'deadline' as const, ttlt: 60_000 };
    // Both earn 8 for each of 50 tokens; the longer prompt earns more in the same time.
    top.submit({ id: 'thin', promptTokens: 10, slo });
    top.submit({ id: 'dense', promptTokens: 400, slo });
    expect(Object.keys(top.step())).toEqual(['dense']);
  });

  it('passes over what would be late', () => {
    const top = new TableTop(jitserve(), { maxBatch: 1 });
    top.teach('app', 50);
    top.submit({ id: 'late', promptTokens: 400, slo: { class: 'deadline', ttlt: 500 } });
    top.submit({ id: 'fine', promptTokens: 10, slo: { class: 'deadline', ttlt: 5000 } });
    // 50 tokens take 20 ms each at first sight.
    expect(Object.keys(top.step())).toEqual(['fine']);
  });

  it('groups like context lengths: a little density is given up for a batch that is alike', () => {
    const top = new TableTop(jitserve(), { maxBatch: 2 });
    top.teach('app', 50);
    const slo = { class: 'deadline' as const, ttlt: 600_000 };
    for (const [id, promptTokens] of [
      ['short1', 100],
      ['short2', 110],
      ['long', 300],
    ] as const) {
      top.submit({ id, promptTokens, slo });
    }
    // By length: 100, 110, 300. The windows are {100, 110} and {110, 300}; the latter is denser.
    expect(Object.keys(top.step()).sort()).toEqual(['long', 'short2']);
  });

  it('keeps its choice for a frame of fifty steps', () => {
    const top = new TableTop(jitserve(), { maxBatch: 1 });
    top.teach('app', 50);
    const slo = { class: 'deadline' as const, ttlt: 600_000 };
    top.submit({ id: 'first', promptTokens: 10, slo });
    top.step();
    top.submit({ id: 'denser', promptTokens: 1000, slo });
    expect(top.steps(49)).toEqual({ first: 1 });
    expect(Object.keys(top.step())).toEqual(['denser']);
  });
});
