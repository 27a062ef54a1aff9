import type { Policy, PolicyOptions } from '../policy';
import type { Request } from '../request';
import type { PolicyAbout, PolicyEntry } from './entry';
import { serveToCompletion } from './queue';

export const entry: PolicyEntry = {
  name: 'vtc',
  make: (options) => vtc(options),
};

export const about: PolicyAbout = {
  origin: 'virtual token counters',
  line: 'Fair between the apps: whoever was served fewest tokens goes first.',
  order: 'running answers first, then the least served app',
  words: {
    decodes: 'Runs, so it gets a token in every step',
    reads: 'Reads {prompt}: {order}',
    pauses: 'The prompt tokens of this step are spent',
  },
  source: 'Sheng et al., OSDI ’24, arXiv 2401.00588',
};

/** What a client is charged for a prompt token, and for an output token (the paper's setting). */
const PROMPT_WEIGHT = 1;
const OUTPUT_WEIGHT = 2;

/** Counters that are kept; at twice as many the smallest are forgotten. */
const MAX_COUNTERS = 1024;

/**
 * Virtual token counters: fair across clients, here apps. Each app is charged for the tokens it is
 * served, its prompts when they are admitted; who waits with the smallest counter is admitted next,
 * in order of arrival within the app. An app that comes back is lifted to the smallest counter among
 * those that wait (or to that of the last to leave, if none does), so that nobody saves up credit
 * (Sheng et al., "Fairness in Serving Large Language Models", OSDI '24, arXiv 2401.00588,
 * section 4.1, algorithm 2; with weights, its weighted fairness: an app of weight 2 is charged half).
 * Running requests are not preempted.
 */
export function vtc(
  { weights = {} }: PolicyOptions = {},
  counters = new Map<string, number>(),
): Policy {
  let lastToLeave: string | undefined;
  const counter = (app: string) => counters.get(app) ?? 0;
  const charge = (app: string, amount: number) =>
    counters.set(app, counter(app) + amount / (weights[app] ?? 1));
  // The smallest say least: an app that comes back is lifted to those that wait.
  const forget = (live: ReadonlySet<string | undefined>) => {
    const idle = [...counters].filter(([app]) => !live.has(app)).sort(([, a], [, b]) => a - b);
    for (const [app] of idle.slice(0, counters.size - MAX_COUNTERS)) counters.delete(app);
  };
  return {
    name: 'vtc',
    submitted(request, { waiting, resident }) {
      if (counters.size >= 2 * MAX_COUNTERS) {
        forget(new Set([lastToLeave, ...[...waiting, ...resident].map(({ app }) => app)]));
      }
      let least = Number.POSITIVE_INFINITY;
      for (const other of waiting) {
        if (other === request) continue;
        if (other.app === request.app) return;
        least = Math.min(least, counter(other.app));
      }
      if (least === Number.POSITIVE_INFINITY) {
        least = lastToLeave === undefined ? 0 : counter(lastToLeave);
      }
      counters.set(request.app, Math.max(counter(request.app), least));
    },
    served(request, tokens) {
      if (tokens === 1) charge(request.app, OUTPUT_WEIGHT);
    },
    plan(view, builder) {
      const queues = new Map<string, Request[]>();
      for (const request of view.waiting) {
        const queue = queues.get(request.app);
        if (queue === undefined) queues.set(request.app, [request]);
        else if (queue.length < builder.maxBatch) queue.push(request);
      }
      serveToCompletion(fairly(queues, new Map(counters)), view, builder);
      for (const { request } of builder.work) {
        if (request.resident) continue;
        charge(request.app, PROMPT_WEIGHT * request.promptTokens);
        lastToLeave = request.app;
      }
    },
  };
}

/** Takes from the queue whose app has the smallest counter, charging as it goes. */
function* fairly(
  queues: Map<string, Request[]>,
  counters: Map<string, number>,
): Generator<Request> {
  const heads = new Map([...queues.keys()].map((app) => [app, 0]));
  while (heads.size > 0) {
    let next = '';
    for (const app of heads.keys()) {
      if (next === '' || (counters.get(app) ?? 0) < (counters.get(next) ?? 0)) next = app;
    }
    const queue = queues.get(next) ?? [];
    const at = heads.get(next) ?? 0;
    const request = queue[at];
    counters.set(next, (counters.get(next) ?? 0) + PROMPT_WEIGHT * request.promptTokens);
    if (at + 1 < queue.length) heads.set(next, at + 1);
    else heads.delete(next);
    yield request;
  }
}
