import { describe, expect, it } from 'vitest';
import { DEFAULT_SLOS } from '../design/apps';
import { saneChoices } from './choices';

describe('the choices that were stored', () => {
  it('are taken over', () => {
    const choices = {
      theme: 'dark',
      trafficChoice: false,
      policy: 'edf',
      slos: {
        chat: { class: 'latency', ttft: 900, tbt: 50 },
        agent: { class: 'deadline', ttlt: 5000 },
        summarizer: { class: 'deadline', ttlt: 8000 },
      },
      device: 'desktop-gpu',
    };
    expect(saneChoices(choices)).toEqual(choices);
  });

  it.each([undefined, null, 'x', [], { policy: 'none', theme: 7, device: 'abacus', slos: null }])(
    'are left out where they make no sense: %j',
    (stored) => {
      expect(saneChoices(stored)).toEqual({ slos: DEFAULT_SLOS });
    },
  );

  it('of objectives only those that an app can have', () => {
    const slos = {
      chat: { class: 'latency', ttft: -1, tbt: 50 },
      agent: { class: 'best-effort' },
      summarizer: { class: 'latency', ttft: 9, tbt: 9 },
    };
    expect(saneChoices({ slos }).slos).toEqual(DEFAULT_SLOS);
  });
});
