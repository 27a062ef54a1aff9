import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../client';
import { RecentAttainment, WINDOW_MS } from './attainment';

const at = (atMs: number, finished: number, met: number, dueMs?: number): Snapshot =>
  ({
    atMs,
    requests: dueMs === undefined ? [] : [{ app: 'chat', dueMs }],
    metrics: { byApp: { chat: { finished, met } } },
  }) as unknown as Snapshot;

describe('recent attainment', () => {
  it('is unknown until a request has finished', () => {
    const recent = new RecentAttainment();
    expect(recent.add(at(0, 0, 0)).get('chat')).toBeUndefined();
    expect(recent.add(at(100, 4, 3)).get('chat')).toBe(0.75);
    expect(recent.add(at(100, 4, 3)).get('agent')).toBeUndefined();
  });

  it('forgets what is older than its window', () => {
    const recent = new RecentAttainment();
    recent.add(at(0, 0, 0));
    recent.add(at(1000, 10, 0));
    recent.add(at(WINDOW_MS, 10, 0));
    expect(recent.add(at(WINDOW_MS + 2000, 12, 2)).get('chat')).toBe(1);
  });

  it('counts a live request that is overdue as a miss', () => {
    const recent = new RecentAttainment();
    recent.add(at(0, 0, 0));
    expect(recent.add(at(1000, 1, 1, 900)).get('chat')).toBe(1);
    expect(recent.add(at(2000, 1, 1, 900)).get('chat')).toBe(0.5);
  });

  it('looks no further back than a restart, and starts anew with another engine', () => {
    const recent = new RecentAttainment();
    recent.add(at(0, 0, 0));
    recent.add(at(1000, 10, 10));
    recent.restart();
    expect(recent.add(at(1100, 10, 10)).get('chat')).toBeUndefined();
    expect(recent.add(at(2000, 12, 10)).get('chat')).toBe(0);
    expect(recent.add(at(3000, 0, 0)).get('chat')).toBeUndefined();
  });
});
