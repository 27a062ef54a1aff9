import type { Policy } from '../policy';
import type { PolicyAbout, PolicyEntry } from './entry';
import { fits } from './queue';

export const entry: PolicyEntry = {
  name: 'fcfs',
  make: fcfs,
};

export const about: PolicyAbout = {
  origin: 'vLLM',
  line: 'New prompts first, whole and in order of arrival; then all decode together.',
  order: 'new prompts first, in order of arrival',
  words: {
    decodes: 'Decodes with all that run: no prompt can begin',
    reads: 'Its {prompt} go before all decoding',
    waits: 'No room for its whole prompt: no overtaking',
    pauses: 'A new prompt has this step to itself',
  },
  source: 'Kwon et al., SOSP ’23, arXiv 2309.06180',
};

/**
 * vLLM's original scheduler: prompts first, whole and in order of arrival; a step that prefills
 * decodes nothing, and running sequences decode together otherwise. At most a batch runs; a request
 * is admitted when its whole prompt fits with 1% of the pages to spare. When pages run out the latest
 * arrival is preempted and recomputed (Kwon et al., "Efficient Memory Management for Large Language
 * Model Serving with PagedAttention", SOSP '23, section 4.5; vLLM 0.x, `_schedule_default`).
 */
export function fcfs(): Policy {
  return {
    name: 'fcfs',
    plan(view, builder) {
      for (const request of view.resident) if (!request.decoding) builder.add(request, 'in-order');
      for (const request of view.waiting) {
        // First come, first served: nobody overtakes one that does not fit.
        if (!fits(request, view, builder)) break;
        // A prompt is split only if no step could take it whole.
        const pending = request.knownTokens - request.cachedTokens;
        if (pending > builder.prefillLeft && builder.batch > 0) break;
        if (builder.add(request, 'in-order') === 0) break;
      }
      if (builder.batch > 0) return;
      for (const request of view.resident) builder.add(request, 'in-order');
    },
  };
}
