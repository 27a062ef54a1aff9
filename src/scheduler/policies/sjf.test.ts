import { describe, expect, it } from 'vitest';
import { sjf } from './sjf';
import { TableTop } from './table-top';

function table() {
  const top = new TableTop(sjf(), { maxBatch: 1 });
  top.teach('essays', 500);
  top.teach('titles', 10);
  return top;
}

describe('sjf', () => {
  it('runs what is predicted to be shortest, whatever ran before', () => {
    const top = table();
    top.submit({ id: 'essay', app: 'essays' });
    expect(top.step()).toEqual({ essay: 1 });
    top.submit({ id: 'title', app: 'titles', outputTokens: 2 });
    expect(top.step()).toEqual({ title: 1 });
    expect(top.step()).toEqual({ title: 1 });
    expect(top.step()).toEqual({ essay: 1 });
  });

  it('promotes who starves', () => {
    const top = table();
    top.submit({ id: 'essay', app: 'essays' });
    top.submit({ id: 'title', app: 'titles' });
    expect(top.steps(500)).toEqual({ title: 1 });
    expect(top.step()).toEqual({ essay: 1 });
  });
});
