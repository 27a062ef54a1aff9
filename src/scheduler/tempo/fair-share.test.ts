import { describe, expect, it } from 'vitest';
import { FairShare } from './fair-share';

describe('FairShare', () => {
  it('prefers the app that has been served less for its weight', () => {
    const share = new FairShare({ chat: 2, agent: 1 });
    share.submitted('chat');
    share.submitted('agent');
    share.served('chat', 20_000);
    share.served('agent', 20_000);
    expect(share.factor('chat')).toBe(1);
    expect(share.factor('agent')).toBeLessThan(0.7);
  });

  it('lets nobody save up service by idling', () => {
    const share = new FairShare({});
    share.submitted('busy');
    share.served('busy', 100_000);
    share.submitted('sleeper');
    expect(share.factor('busy')).toBe(1);
    expect(share.factor('sleeper')).toBe(1);
  });
});
