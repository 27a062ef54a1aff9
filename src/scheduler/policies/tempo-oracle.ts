import type { Policy } from '../policy';
import { clairvoyant, type TempoOptions } from '../tempo';
import { Tempo } from './tempo';

/**
 * The clairvoyant yardstick: tempo, knowing every answer's true length and every program's true
 * graph (where the lab has told them; elsewhere it predicts like tempo). `prediction: false` takes
 * its knowledge of lengths away, `graphMatching: false` that of graphs: what tempo itself lacks.
 */
export function tempoOracle(options: TempoOptions = {}): Policy {
  return new Tempo('tempo-oracle', options, (view) => clairvoyant(view, options));
}
