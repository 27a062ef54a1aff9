/** Every policy, each in a file of its own. */
import { TempoError } from '../errors';
import type { Policy, PolicyOptions } from '../policy';
import { entry as alise } from './alise';
import { entry as autellix } from './autellix';
import { entry as bros } from './bros';
import { entry as edf } from './edf';
import type { PolicyEntry } from './entry';
import { entry as fcfs } from './fcfs';
import { entry as hygen } from './hygen';
import { entry as jitserve } from './jitserve';
import { entry as justitia } from './justitia';
import { POLICY_NAMES, type PolicyName } from './names';
import { entry as niyama } from './niyama';
import { entry as qlm } from './qlm';
import { entry as sarathi } from './sarathi';
import { entry as scorpio } from './scorpio';
import { entry as sjf } from './sjf';
import { entry as slidebatching } from './slidebatching';
import { entry as slosserve } from './slosserve';
import { entry as tempo } from './tempo/entry';
import { entry as tempoOracle } from './tempo-oracle';
import { entry as vtc } from './vtc';
import { entry as webllm } from './webllm';

export * from './names';

/**
 * The registry, in the order in which policies are listed everywhere. What pages know of it without
 * loading the policies (./names.ts, ./about.ts), and the list in docs/policies.md, are written from it
 * by `npm run policies`.
 */
export const POLICIES: readonly PolicyEntry[] = [
  webllm,
  fcfs,
  sarathi,
  sjf,
  edf,
  autellix,
  vtc,
  bros,
  hygen,
  alise,
  qlm,
  jitserve,
  slidebatching,
  slosserve,
  scorpio,
  niyama,
  justitia,
  tempo,
  tempoOracle,
];

function entryOf(name: unknown): PolicyEntry | undefined {
  return POLICIES.find(
    (entry) => entry.name === name || entry.aliases?.some((alias) => alias === name),
  );
}

/** A fresh policy. Throws `unknown_policy`. */
export function createPolicy(name: string, options: PolicyOptions = {}): Policy {
  const entry = entryOf(name);
  if (entry === undefined) {
    throw new TempoError(
      'unknown_policy',
      `There is no policy "${name}". Use one of ${POLICY_NAMES.join(', ')}.`,
      { param: 'policy' },
    );
  }
  return entry.make(options);
}

/** The name of a policy by that or another name of it; undefined where there is none. */
export function policyNamed(name: unknown): PolicyName | undefined {
  const own = entryOf(name)?.name;
  return POLICY_NAMES.find((known) => known === own);
}
