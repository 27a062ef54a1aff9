import type { ValuePlan } from '../../schema/plan';
import type { Place } from '../place';
import type { UsedValues } from './used-values';

/** Where values begin: what arrays and objects have to know of the values within them. */
export interface ValueStarts {
  starts(plan: ValuePlan): readonly Place[];
  /** Likewise, of a plan that leaves out what has been used; made anew each time. */
  startsOf(plan: ValuePlan, used: UsedValues): readonly Place[];
}
