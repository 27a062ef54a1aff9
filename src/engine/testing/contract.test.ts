import { describe, it } from 'vitest';
import { loadSimulatedEngine, SimulatedClock } from '../simulated';
import { stepEngineContract } from './contract';

describe('StepEngine contract: the simulated engine', () => {
  const checks = stepEngineContract({
    load: () => loadSimulatedEngine({ clock: new SimulatedClock() }),
  });
  for (const { name, run } of checks) it(name, run);
});
