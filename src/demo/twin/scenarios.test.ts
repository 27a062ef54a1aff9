import { describe, expect, it } from 'vitest';
import { DEVICE_PROFILES } from '../../lab';
import { DEFAULT_SLOS } from '../design/apps';
import { arrivalOf, meanWorkMs, SCENARIO_NAMES, SCENARIOS, Traffic } from './scenarios';

const DEVICE = DEVICE_PROFILES['laptop-gpu'];

describe('the scenarios', () => {
  it('bring the same for the same seed, and other things for another', () => {
    const drafts = (seed: number) => {
      const traffic = new Traffic('rush', seed, 4096);
      return Array.from({ length: 40 }, () => traffic.next());
    };
    expect(drafts(7)).toEqual(drafts(7));
    expect(drafts(7)).not.toEqual(drafts(8));
  });

  it.each(SCENARIO_NAMES)('never ask for more than the context window holds: %s', (name) => {
    for (const contextWindow of [1024, 4096]) {
      const traffic = new Traffic(name, 3, contextWindow);
      for (let i = 0; i < 500; i++) {
        for (const { promptTokens, outputTokens, maxTokens } of traffic.next().calls) {
          expect(promptTokens).toBeGreaterThan(0);
          expect(outputTokens).toBeGreaterThan(0);
          expect(outputTokens).toBeLessThanOrEqual(maxTokens);
          expect(promptTokens + maxTokens).toBeLessThan(contextWindow);
        }
      }
    }
  });

  it.each(SCENARIO_NAMES)('have all three apps, and gaps of 1 on average: %s', (name) => {
    const traffic = new Traffic(name, 5, 4096);
    const drafts = Array.from({ length: 4000 }, () => traffic.next());
    expect(new Set(drafts.map(({ app }) => app)).size).toBe(3);
    const mean = drafts.reduce((sum, { gap }) => sum + gap, 0) / drafts.length;
    expect(mean).toBeGreaterThan(0.9);
    expect(mean).toBeLessThan(1.1);
    expect(SCENARIOS[name].title).not.toBe('');
  });

  it('take longer on a slower device', () => {
    const slower = DEVICE_PROFILES['integrated-gpu'];
    expect(meanWorkMs('rush', slower)).toBeGreaterThan(meanWorkMs('rush', DEVICE));
  });

  it('give an agent the reader’s deadline, or as much of it as the scenario leaves', () => {
    const of = (name: 'rush' | 'agent') =>
      arrivalOf(new Traffic(name, 1, 4096).of('agent'), 'p', 0, DEFAULT_SLOS);
    expect(of('rush')).toMatchObject({ kind: 'program', deadlineMs: 15_000 });
    expect(of('agent')).toMatchObject({ deadlineMs: 7500 });
  });
});
