import { expect, it } from 'vitest';
import { TempoError } from '../scheduler';
import { labRun } from './run';
import { makeWorkload } from './spec';
import { ABLATION_NAMES, createVariant } from './variant';

it('a variant is a policy with parts switched off', () => {
  expect(createVariant('edf').policy.name).toBe('edf');
  const variant = createVariant('tempo:no-prediction,no-prefix-sharing');
  expect(variant.policy.name).toBe('tempo');
  expect(variant.prefixSharing).toBe(false);
  expect(createVariant('tempo:no-best-effort-share').bestEffortShare).toBe(0);
});

it.each(['tempo:no-sense', 'best', 'fcfs:no-prediction'])('refuses %s', (name) => {
  expect(() => createVariant(name)).toThrow(TempoError);
});

it.each(ABLATION_NAMES)('tempo without a part serves all the same: %s', async (name) => {
  const workload = makeWorkload({ name: 'page', requests: 60, load: 2, seed: 1 });
  const options = { load: 2, seed: 1, bound: 0, wall: () => 0 };
  const { run } = await labRun(workload, { ...options, policy: `tempo:${name}` });
  expect(run.gain).toBeGreaterThan(0);
  expect(run.policy).toBe(`tempo:${name}`);
});
