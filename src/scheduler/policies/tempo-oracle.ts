import type { Policy } from '../policy';
import { clairvoyant } from '../predict/knowledge';
import { ignorance, Tempo, type TempoOptions } from './tempo';

/**
 * The clairvoyant yardstick: tempo, knowing every answer's true length and every program's true
 * graph (where the lab has told them; elsewhere it predicts like tempo). Without `prediction` its
 * knowledge of lengths is taken away, without `graph-matching` that of graphs: what tempo itself lacks.
 */
export function tempoOracle(options: TempoOptions = {}): Policy {
  return new Tempo('tempo-oracle', options, (view) => clairvoyant(view, ignorance(options)));
}
