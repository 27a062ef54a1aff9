import { describe, expect, it } from 'vitest';
import { edf } from './edf';
import { TableTop } from './table-top';

describe('edf', () => {
  it('runs the nearest deadline: of an answer, of a program, of a stream its next token', () => {
    const top = new TableTop(edf(), { maxBatch: 1 });
    const program = top.program('p', 500);
    top.submit({ id: 'answer', slo: { class: 'deadline', ttlt: 600 } });
    top.submit({ id: 'call', slo: { class: 'program' }, program });
    top.submit({ id: 'stream', slo: { class: 'latency', ttft: 400, tbt: 60 } });

    // Tokens of the stream are due at 400, 460 and 520: the third is later than the program.
    expect(top.step()).toEqual({ stream: 1 });
    expect(top.step()).toEqual({ stream: 1 });
    expect(top.step()).toEqual({ call: 1 });
  });

  it('leaves what has no deadline for last, and does not give up what is late', () => {
    const top = new TableTop(edf(), { maxBatch: 1 });
    top.submit({ id: 'idle' });
    top.submit({ id: 'late', slo: { class: 'deadline', ttlt: 5 } });
    top.submit({ id: 'fine', slo: { class: 'deadline', ttlt: 1000 } });
    expect(top.steps(3)).toEqual({ late: 1 });
  });
});
