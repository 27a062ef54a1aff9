import type { Policy } from '../policy';
import { clairvoyant } from '../predict/knowledge';
import type { PolicyAbout, PolicyEntry } from './entry';
import { ignorance, Tempo, type TempoOptions } from './tempo';
import { about as aboutTempo } from './tempo/entry';

export const entry: PolicyEntry = { name: 'tempo-oracle', make: tempoOracle };

export const about: PolicyAbout = {
  ...aboutTempo,
  origin: 'the yardstick',
  line: 'Tempo with perfect foresight; outside the lab nobody has it, so it predicts too.',
};

/**
 * The clairvoyant yardstick: tempo, knowing every answer's true length and every program's true
 * graph (where the lab has told them; elsewhere it predicts like tempo). Without `prediction` its
 * knowledge of lengths is taken away, without `graph-matching` that of graphs: what tempo itself lacks.
 */
export function tempoOracle(options: TempoOptions = {}): Policy {
  return new Tempo('tempo-oracle', options, (view) => clairvoyant(view, ignorance(options)));
}
