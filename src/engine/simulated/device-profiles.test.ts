import { describe, expect, it } from 'vitest';
import { DEVICE_PROFILES, stepMs } from './device-profiles';

describe('device profiles', () => {
  it('decode one sequence about as fast as such devices are known to', () => {
    const perSecond = (name: keyof typeof DEVICE_PROFILES) =>
      1000 / stepMs(DEVICE_PROFILES[name], 1, 500);
    // vLLM on an A100 gets about 80 tokens a second out of an 8B model, on an H100 about 120.
    expect(perSecond('server-8b')).toBeGreaterThan(70);
    expect(perSecond('server-8b')).toBeLessThan(90);
    expect(perSecond('server-8b-h100')).toBeGreaterThan(105);
    expect(perSecond('server-8b-h100')).toBeLessThan(135);
    for (const name of ['integrated-gpu', 'laptop-gpu', 'desktop-gpu'] as const) {
      expect(perSecond(name)).toBeGreaterThan(40);
      expect(perSecond(name)).toBeLessThan(120);
    }
  });

  it('read the weights once a step, until arithmetic takes longer', () => {
    const server = DEVICE_PROFILES['server-8b'];
    expect(stepMs(server, 32, 0)).toBe(stepMs(server, 1, 0));
    const longer = stepMs(server, 2000, 0) - stepMs(server, 1000, 0);
    expect(longer).toBeCloseTo(1000 * server.computeMsPerToken, 9);
    expect(stepMs(server, 1, 1000) - stepMs(server, 1, 0)).toBeCloseTo(
      1000 * server.kvMsPerToken,
      9,
    );
  });
});
