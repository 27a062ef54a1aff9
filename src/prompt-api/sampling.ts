import type { ModelLimits } from '../client';
import { type Dictionary, enumeration } from './idl';
import type { LanguageModelParams, LanguageModelSamplingMode } from './types';

const MAX_TEMPERATURE = 2;
/** So many of the likeliest tokens have next to all of the probability: from here on there is no limit. */
export const MAX_TOP_K = 128;

const MODES: readonly LanguageModelSamplingMode[] = [
  'most-predictable',
  'predictable',
  'balanced',
  'creative',
  'most-creative',
];

/** Models' own temperatures, which `balanced` stands for, are between 0.6 and 1. */
const TEMPERATURES: Readonly<Record<LanguageModelSamplingMode, number | undefined>> = {
  'most-predictable': 0,
  predictable: 0.3,
  balanced: undefined,
  creative: 1.1,
  'most-creative': 1.4,
};

/** How a session draws its tokens; what is undefined is as the model has it. */
export interface Sampling {
  mode: LanguageModelSamplingMode;
  temperature?: number;
  topK?: number;
}

/** Throws a RangeError for values below their range (those above are cut), and a TypeError for modes beside values. */
export function readSampling({ samplingMode, temperature, topK }: Dictionary): Sampling {
  const isSet = (value: unknown) => value !== undefined && value !== null;
  if (isSet(samplingMode)) {
    if (isSet(temperature) || isSet(topK)) {
      throw new TypeError('Give either samplingMode or temperature and topK.');
    }
    const mode = enumeration(samplingMode, MODES, 'samplingMode');
    return { mode, temperature: TEMPERATURES[mode] };
  }
  return {
    mode: 'balanced',
    temperature: isSet(temperature)
      ? Math.min(atLeast(0, Number(temperature), 'temperature'), MAX_TEMPERATURE)
      : undefined,
    topK: isSet(topK)
      ? Math.min(Math.trunc(atLeast(1, Number(topK), 'topK')), MAX_TOP_K)
      : undefined,
  };
}

function atLeast(least: number, value: number, name: string): number {
  if (value >= least) return value;
  throw new RangeError(`${name} must be at least ${least}, not ${value}.`);
}

/** As fields of a request. */
export function samplingFields({ temperature, topK = MAX_TOP_K }: Sampling) {
  return { temperature, top_k: topK < MAX_TOP_K ? topK : undefined };
}

export function paramsOf(defaults: ModelLimits['defaults']): LanguageModelParams {
  return {
    defaultTopK: MAX_TOP_K,
    maxTopK: MAX_TOP_K,
    defaultTemperature: defaults.temperature,
    maxTemperature: MAX_TEMPERATURE,
  };
}
