/** Every policy by name, each in a file of its own. */
import { TempoError } from '../errors';
import type { Policy, PolicyOptions } from '../policy';
import { alise } from './alise';
import { autellix } from './autellix';
import { bros } from './bros';
import { edf } from './edf';
import { fcfs } from './fcfs';
import { hygen } from './hygen';
import { jitserve } from './jitserve';
import { isPolicyName, POLICY_NAMES, type PolicyName } from './names';
import { qlm } from './qlm';
import { sarathi } from './sarathi';
import { sjf } from './sjf';
import { slidebatching } from './slidebatching';
import { tempo } from './tempo';
import { tempoOracle } from './tempo-oracle';
import { vtc } from './vtc';
import { webllm } from './webllm';

export * from './names';

const POLICIES: Record<PolicyName, (options: PolicyOptions) => Policy> = {
  webllm,
  fcfs,
  sarathi: () => sarathi(),
  sjf,
  edf,
  autellix: () => autellix(),
  vtc,
  bros,
  hygen: () => hygen(),
  alise,
  qlm,
  jitserve,
  slidebatching: () => slidebatching(),
  tempo,
  'tempo-oracle': tempoOracle,
};

/** A fresh policy. Throws `unknown_policy`. */
export function createPolicy(name: string, options: PolicyOptions = {}): Policy {
  if (!isPolicyName(name)) {
    throw new TempoError(
      'unknown_policy',
      `There is no policy "${name}". Use one of ${POLICY_NAMES.join(', ')}.`,
      { param: 'policy' },
    );
  }
  return POLICIES[name](options);
}
