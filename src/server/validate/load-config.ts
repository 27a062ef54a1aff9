/** What is to be loaded. Imported when something is. */
import type { PolicyName } from '../../scheduler';
import { plain } from '../plain';
import type { LoadConfig } from '../server-types';
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
} from './fields';
import { policyName } from './policy';
import { appConfig, chatOptions, embeddingModels } from './webllm';

const name: Reader<string> = (value, at) => {
  expect(typeof value === 'string' && value !== '', at, `${at} must name what to load`, value);
  return value;
};

const weights: Reader<Record<string, number>> = (value, at) => {
  expect(isRecord(value), at, `${at} must hold a weight for each app`, value);
  const read: Record<string, number> = Object.create(null); // an app may be called `constructor`
  for (const [app, weight] of Object.entries(value)) {
    const holds = typeof weight === 'number' && Number.isFinite(weight) && weight > 0;
    expect(holds, `${at}.${app}`, 'a weight must be a number above 0', weight);
    read[app] = weight;
  }
  return read;
};

const LOAD = object(
  {
    engine: oneOf('webllm', 'simulated'),
    model: name,
    policy: policyName,
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

/** As it was asked for, with the policy's own name. */
export type ReadConfig = LoadConfig & { policy: PolicyName };

/** Throws `unknown_policy` or `invalid_request` unless `config` can be tried. */
export function readLoadConfig(config: unknown): ReadConfig {
  return alone(LOAD, plain(config, ''));
}
