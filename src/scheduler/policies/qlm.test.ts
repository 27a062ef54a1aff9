import { describe, expect, it } from 'vitest';
import { qlm } from './qlm';
import { TableTop } from './table-top';

describe('qlm', () => {
  it('orders groups by when they must be served, and serves a group in order of arrival', () => {
    const top = new TableTop(qlm(), { maxBatch: 1 });
    top.teach('app', 10);
    const loose = { slo: { class: 'deadline' as const, ttlt: 60_000 }, outputTokens: 1 };
    const tight = { slo: { class: 'deadline' as const, ttlt: 5000 }, outputTokens: 1 };
    top.submit({ id: 'loose', ...loose });
    top.submit({ id: 'tight1', ...tight });
    top.submit({ id: 'tight2', ...tight });
    const order = [1, 2, 3].map(() => Object.keys(top.step())[0]);
    expect(order).toEqual(['tight1', 'tight2', 'loose']);
  });

  it('moves the group back that would make others late', () => {
    const top = new TableTop(qlm(), { maxBatch: 1 });
    top.teach('long', 500); // 5 s each
    top.teach('short', 10); // 0.1 s each
    for (const id of ['l1', 'l2']) {
      top.submit({ id, app: 'long', slo: { class: 'deadline', ttlt: 6000 } });
    }
    top.submit({ id: 's', app: 'short', slo: { class: 'deadline', ttlt: 6500 } });
    // The long group is due first and takes 10 s, after which s would be late.
    expect(top.step()).toEqual({ s: 1 });
  });
});
