import { describe, expect, it } from 'vitest';
import { stepEngineContract } from '../contract';
import type { StepEngine } from '../step-engine';
import { loadWebLlmEngine, type WebLlmOptions } from './load';
import { STAND_IN_MODEL, StandIn, type StandInOptions } from './stand-in';

function load(world: StandIn, options: Partial<WebLlmOptions> = {}): Promise<StepEngine> {
  return loadWebLlmEngine({
    model: STAND_IN_MODEL,
    webllm: world.webllm,
    gpu: world.gpu,
    maxSequences: 8,
    kvBudgetBytes: 1 << 16,
    ...options,
  });
}

const KINDS: [string, StandInOptions, Partial<WebLlmOptions>][] = [
  ['an old library, no prefixes kept', {}, { keepPrefixes: 0 }],
  ['an old library', {}, {}],
  ['a library that samples on the GPU', { samplesOnGpu: true }, { keepPrefixes: 3 }],
];

for (const [kind, standIn, options] of KINDS) {
  describe(`StepEngine contract: WebLLM on a stand-in, ${kind}`, () => {
    const world = new StandIn(standIn);
    for (const { name, run } of stepEngineContract({ load: () => load(world, options) })) {
      it(name, run);
    }
    it('frees every object of the runtime, and corrupts nothing', () => {
      expect(world.objects).toBe(0);
      expect(world.scopes).toHaveLength(0);
      expect(world.corruptions).toEqual([]);
    });
  });
}

describe('The contract can fail', () => {
  const WRONG: [keyof NonNullable<StandInOptions['wrong']>, RegExp][] = [
    ['chunks', /in chunks of 3/],
    ['batches', /in a batch/],
    ['forks', /on a cached prefix|of a fork/],
    ['pops', /redone from its second token/],
  ];
  for (const [what, complaint] of WRONG) {
    it(`on a GPU that computes ${what} wrongly`, async () => {
      const world = new StandIn({ wrong: { [what]: true } });
      const keepPrefixes = what === 'chunks' ? 0 : 8;
      const complaints: string[] = [];
      const checks = stepEngineContract({
        load: () => load(world, { keepPrefixes, selfTest: 'never' }),
        requests: 20,
      });
      for (const { run } of checks) {
        await run().catch((error: Error) => complaints.push(error.message));
      }
      expect(complaints.join('\n')).toMatch(complaint);
    });
  }
});
