import { describe, it } from 'vitest';
import { stepEngineContract } from './contract';
import { loadSimulatedEngine, SimulatedClock } from './simulated';

describe('StepEngine contract: the simulated engine', () => {
  const checks = stepEngineContract({
    load: () => loadSimulatedEngine({ clock: new SimulatedClock() }),
  });
  for (const { name, run } of checks) it(name, run);
});
