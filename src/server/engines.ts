import { deviceProfile, loadSimulatedEngine } from '../engine/simulated';
import type { LoadOptions, StepEngine } from '../engine/step-engine';
import { isPolicyName, POLICY_NAMES, TempoError } from '../scheduler';
import type { LoadConfig } from './server-types';

/** How one kind of engine comes to be. */
export interface EngineKind {
  /** Throws what is wrong with `config` before anything that runs is given up for it. */
  check(config: LoadConfig): Promise<void>;
  load(config: LoadConfig, options: LoadOptions): Promise<StepEngine>;
}

export type EngineKinds = Readonly<Record<LoadConfig['engine'], EngineKind>>;

export const ENGINES: EngineKinds = {
  simulated: {
    async check({ model }) {
      deviceProfile(model);
    },
    load: ({ model }, options) => loadSimulatedEngine({ profile: model, ...options }),
  },
  // Imported when it is asked for: WebLLM is megabytes that a simulated page does without.
  webllm: {
    async check({ model }) {
      const { checkWebLlmModel } = await import('../engine/webllm');
      await checkWebLlmModel(model);
    },
    async load({ model, maxSequences, kvBytes }, options) {
      const { loadWebLlmEngine } = await import('../engine/webllm');
      return loadWebLlmEngine({ model, maxSequences, kvBudgetBytes: kvBytes, ...options });
    },
  },
};

/** Throws `unknown_policy` or `invalid_request` unless `config` can be tried. */
export function checkLoadConfig(config: LoadConfig, kinds: EngineKinds): void {
  if (!Object.hasOwn(kinds, config.engine)) {
    throw invalid(
      'engine',
      `engine must be one of ${Object.keys(kinds).join(', ')}`,
      config.engine,
    );
  }
  if (typeof config.model !== 'string' || config.model === '') {
    throw invalid('model', 'model must name what to load', config.model);
  }
  if (!isPolicyName(config.policy)) {
    throw new TempoError(
      'unknown_policy',
      `There is no policy "${String(config.policy)}". Use one of ${POLICY_NAMES.join(', ')}.`,
      { param: 'policy' },
    );
  }
  checkNumber(config.maxSequences, 'maxSequences', (n) => Number.isInteger(n) && n >= 1);
  checkNumber(config.kvBytes, 'kvBytes', (n) => n > 0);
  checkNumber(config.alpha, 'alpha', (n) => n >= 0);
  checkNumber(config.bestEffortShare, 'bestEffortShare', (n) => n >= 0 && n <= 1);
  checkNumber(config.maxWaiting, 'maxWaiting', (n) => Number.isInteger(n) && n >= 1);
  if (config.rejectHopeless !== undefined && typeof config.rejectHopeless !== 'boolean') {
    throw invalid('rejectHopeless', 'rejectHopeless must be true or false', config.rejectHopeless);
  }
  for (const [app, weight] of Object.entries(config.appWeights ?? {})) {
    if (typeof weight === 'number' && Number.isFinite(weight) && weight > 0) continue;
    throw invalid(`appWeights.${app}`, 'a weight must be a number above 0', weight);
  }
}

const EXPECTED = {
  maxSequences: 'a whole number of at least 1',
  kvBytes: 'a number of bytes above 0',
  alpha: 'a number of at least 0',
  bestEffortShare: 'a share from 0 to 1',
  maxWaiting: 'a whole number of at least 1',
};

function checkNumber(
  value: number | undefined,
  name: keyof typeof EXPECTED,
  isSane: (value: number) => boolean,
): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !Number.isFinite(value) || !isSane(value)) {
    throw invalid(name, `${name} must be ${EXPECTED[name]}`, value);
  }
}

function invalid(param: string, sentence: string, got: unknown): TempoError {
  return new TempoError('invalid_request', `${sentence}, got ${String(got)}.`, { param });
}
