import type { Embedder } from '../engine/embedder';
import type { LoadOptions, StepEngine } from '../engine/step-engine';
import { isPolicyName, POLICY_NAMES, type PolicyName, TempoError } from '../scheduler';
import { plain } from './plain';
import type { LoadConfig } from './server-types';
import {
  alone,
  expect,
  flag,
  isRecord,
  number,
  object,
  oneOf,
  type Reader,
  wholeNumber,
} from './validate/fields';
import { appConfig, chatOptions, embeddingModels } from './validate/webllm';

/** How one kind of engine comes to be. */
export interface EngineKind {
  /** Throws what is wrong with `config` before anything that runs is given up for it. */
  check(config: LoadConfig): Promise<void>;
  load(config: LoadConfig, options: LoadOptions): Promise<StepEngine>;
  /** Whether `config.model` turns texts into vectors, and answers no chat. Default: it does not. */
  embeds?(config: LoadConfig): Promise<boolean>;
  /** Loads an embedding model by its name. A kind without it has none. */
  loadEmbedder?(model: string, config: LoadConfig, options: LoadOptions): Promise<Embedder>;
}

export type EngineKinds = Readonly<Record<LoadConfig['engine'], EngineKind>>;

/** Each is imported when it is asked for: WebLLM is megabytes, and most pages simulate nothing. */
export const ENGINES: EngineKinds = {
  simulated: {
    async check({ model }) {
      const { deviceProfile } = await import('../engine/simulated');
      deviceProfile(model);
    },
    async load({ model }, options) {
      const { loadSimulatedEngine } = await import('../engine/simulated');
      return loadSimulatedEngine({ profile: model, ...options });
    },
    async loadEmbedder(model, { model: profile }, options) {
      const { loadSimulatedEmbedder } = await import('../engine/simulated');
      return loadSimulatedEmbedder({ model, profile, ...options });
    },
  },
  webllm: {
    async check({ model, embeddingModels = [], appConfig }) {
      const { checkWebLlmModels } = await import('../engine/webllm');
      await checkWebLlmModels(model, embeddingModels, appConfig);
    },
    async load({ model, maxSequences, kvBytes, appConfig, chatOptions }, options) {
      const { loadWebLlmEngine } = await import('../engine/webllm');
      return loadWebLlmEngine({
        model,
        maxSequences,
        kvBudgetBytes: kvBytes,
        appConfig,
        chatOptions,
        ...options,
      });
    },
    async embeds({ model, appConfig }) {
      const { isEmbeddingModel } = await import('../engine/webllm');
      return isEmbeddingModel(model, appConfig);
    },
    async loadEmbedder(model, { appConfig }, options) {
      const { loadWebLlmEmbedder } = await import('../engine/webllm');
      return loadWebLlmEmbedder({ model, appConfig, ...options });
    },
  },
};

const policy: Reader<PolicyName> = (value, at) => {
  if (isPolicyName(value)) return value;
  throw new TempoError(
    'unknown_policy',
    `There is no policy "${String(value)}". Use one of ${POLICY_NAMES.join(', ')}.`,
    { param: at },
  );
};

const name: Reader<string> = (value, at) => {
  expect(typeof value === 'string' && value !== '', at, `${at} must name what to load`, value);
  return value;
};

const weights: Reader<Record<string, number>> = (value, at) => {
  expect(isRecord(value), at, `${at} must hold a weight for each app`, value);
  return Object.fromEntries(
    Object.entries(value).map(([app, weight]) => {
      const holds = typeof weight === 'number' && Number.isFinite(weight) && weight > 0;
      expect(holds, `${at}.${app}`, 'a weight must be a number above 0', weight);
      return [app, weight];
    }),
  );
};

const LOAD = object(
  {
    engine: oneOf('webllm', 'simulated'),
    model: name,
    policy,
    maxSequences: wholeNumber(1),
    kvBytes: number('a number of bytes above 0', (n) => n > 0),
    alpha: number('a number of at least 0', (n) => n >= 0),
    bestEffortShare: number('a share from 0 to 1', (n) => n >= 0 && n <= 1),
    maxWaiting: wholeNumber(1),
    rejectHopeless: flag,
    sharePrefixes: oneOf('app', 'all'),
    appWeights: weights,
    appConfig,
    chatOptions,
    embeddingModels,
  },
  ['engine', 'model', 'policy'],
);

/** Throws `unknown_policy` or `invalid_request` unless `config` can be tried. */
export function readLoadConfig(config: unknown): LoadConfig {
  return alone(LOAD, plain(config, ''));
}

export function isLoadConfig(config: unknown): config is LoadConfig {
  try {
    readLoadConfig(config);
    return true;
  } catch {
    return false;
  }
}
