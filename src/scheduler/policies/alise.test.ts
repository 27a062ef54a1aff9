import { describe, expect, it } from 'vitest';
import { alise } from './alise';
import { TableTop } from './table-top';

function table() {
  const top = new TableTop(alise(), { maxBatch: 1 });
  top.teach('essays', 500);
  top.teach('notes', 100);
  return top;
}

describe('alise', () => {
  it('runs who has least predicted time to go, so that an answer near its end is not interrupted', () => {
    const top = table();
    top.submit({ id: 'note', app: 'notes' });
    const essay = top.submit({ id: 'essay', app: 'essays' });
    expect(top.step()).toEqual({ note: 1 });
    essay.generated = 490; // ten to go, against the note's 99
    expect(Object.keys(top.step())).toEqual(['essay']);
  });

  it('ages who waits: four ms of waiting make up for one to go', () => {
    const top = table();
    top.submit({ id: 'essay', app: 'essays' });
    const note = top.submit({ id: 'note', app: 'notes' });
    expect(top.step()).toEqual({ note: 1 });
    // About 5,000 ms to go against 1,000: the gap is made up after 16,000 ms.
    top.now = 15_000;
    note.lastTokenMs = top.now;
    expect(top.step()).toEqual({ note: 1 });
    top.now = 17_000;
    note.lastTokenMs = top.now;
    expect(top.step()).toEqual({ essay: 1 });
  });
});
