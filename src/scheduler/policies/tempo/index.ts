import type { Policy } from '../../policy';
import { type Ignorance, predicted } from '../../predict/knowledge';
import type { SchedulerView } from '../../view';
import type { TempoOptions } from './options';
import { Tempo } from './policy';

export { RULES, type TempoOptions } from './options';
export { Tempo } from './policy';
export { tuning } from './tuning';

/** The policy: what it knows, it knows from history. */
export function tempo(options: TempoOptions = {}): Policy {
  return new Tempo('tempo', options, (view: SchedulerView) => predicted(view, ignorance(options)));
}

/** What the options leave out of its knowledge. */
export function ignorance({ without }: TempoOptions): Ignorance {
  return {
    lengths: without?.includes('prediction'),
    graphs: without?.includes('graph-matching'),
  };
}
