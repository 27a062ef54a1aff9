import type { Explanation, PolicyName, Reason, RequestTrace, Snapshot } from '../../client';
import { percent } from '../../dashboard/format';
import type { Account, Reign } from '../../dashboard/reign';
import { APP_LABELS, APP_NAMES, type AppName, isAppName } from '../design/apps';

interface Situation {
  snapshot: Snapshot;
  policy: PolicyName;
  /** What the policy has done of late, and the one before it. */
  current: Pick<Reign, 'policy' | 'fromMs' | 'account'> | undefined;
  previous: Pick<Reign, 'policy' | 'account'> | undefined;
  demoTraffic: boolean;
}

/** A switch is still news for this long, ms. */
const NEWS_MS = 30_000;

/** What the dashboard shows just now, in words. */
export function account(situation: Situation): string {
  const { snapshot, policy, current, previous, demoTraffic } = situation;
  const { requests, state } = snapshot;
  if (state.phase === 'loading') return 'A model is loading. Requests wait until it is there.';
  if (state.phase === 'failed') return 'The engine has stopped, and nothing runs.';
  if (requests.length === 0) {
    return demoTraffic
      ? 'Nothing is running at this moment. The visitors read; their next requests are on the way.'
      : 'Nothing is running. Send a message, give the agent a task, or turn on demo traffic.';
  }
  // Until the server has taken the choice over, there is nothing to say of it.
  if (current === undefined || current.policy !== policy) return contention(snapshot, policy);
  const isNews = snapshot.atMs - current.fromMs < NEWS_MS;
  const change = isNews && previous !== undefined ? comparison(previous, current) : undefined;
  return `${contention(snapshot, policy)} ${change ?? standing(current)}`;
}

function contention({ requests, capacity, plan }: Snapshot, policy: PolicyName): string {
  const running = requests.filter((r) => r.state === 'decode' || r.state === 'prefill');
  const held = requests.length - running.length;
  if (policy === 'webllm') {
    const [first] = running;
    if (first === undefined || held === 0) return 'One request runs at a time.';
    return `${nameOf(first)} has the engine to itself while ${count(held, 'request waits', 'requests wait')} behind it.`;
  }
  if (running.length === 0) {
    return `${count(held, 'request waits', 'requests wait')} for the engine.`;
  }
  const share = `${count(running.length, 'request shares', 'requests share')} each step of the engine`;
  if (held === 0) return `${share}, and nobody waits.`;
  const why = commonReason(plan.filter((line) => !line.chosen));
  const who = count(held, 'other waits', 'others wait');
  return why === undefined
    ? `${share}, of at most ${capacity.maxBatch}; ${who}.`
    : `${share}; ${who}, because ${why}.`;
}

/** Why most of the requests that were left out were left out, as the end of a sentence. */
function commonReason(left: readonly Explanation[]): string | undefined {
  const counts = new Map<Reason, number>();
  for (const { reason } of left) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most && BECAUSE[most[0]];
}

const BECAUSE: Partial<Record<Reason, string>> = {
  hopeless: 'what cannot be in time any more lets the others go first',
  'not-admitted': 'more would make the admitted ones late',
  'batch-full': 'the batch is full',
  'sequences-full': 'every sequence slot is taken',
  'pages-full': 'no KV pages are free',
  'prefill-budget': 'a step reads only so many prompt tokens',
  'tbt-guard': 'a longer step would make others late',
};

/** What a switch of policy has done to the app it did most to; undefined while that is unknown. */
function comparison(
  previous: Pick<Reign, 'policy' | 'account'>,
  current: Pick<Reign, 'policy' | 'account'>,
): string | undefined {
  let most: { app: AppName; before: Account; now: Account; change: number } | undefined;
  for (const app of APP_NAMES) {
    const [before, now] = [previous.account(app), current.account(app)];
    if (before.share === undefined || now.share === undefined) continue;
    const change = Math.abs(now.share - before.share);
    if (most === undefined || change > most.change) most = { app, before, now, change };
  }
  if (most === undefined || most.change < 0.05) return undefined;
  const { app, before, now } = most;
  return `${APP_LABELS[app]} under ${previous.policy}: ${inTime(before)}; under ${current.policy}: ${inTime(now)}.`;
}

/** `97% in time (31 of 32)`. */
function inTime({ share, met, judged }: Account): string {
  return `${percent(share)} in time (${met} of ${judged})`;
}

function standing(reign: Pick<Reign, 'account'>): string {
  const judged = APP_NAMES.map((app) => ({ app, ...reign.account(app) })).filter(
    (a) => a.judged > 0,
  );
  if (judged.length === 0) return 'No answer has come to its end yet.';
  const late = judged.filter(({ share = 1 }) => share < 0.9);
  if (late.length > 0) {
    const names = late.map((a) => `${APP_LABELS[a.app]} (${a.met} of ${a.judged} in time)`);
    return `Late in the last 30 s: ${names.join(', ')}.`;
  }
  const [met, all] = [judged.map((a) => a.met), judged.map((a) => a.judged)].map(sum);
  return `In the last 30 s ${met} of ${all} ${all === 1 ? 'was' : 'were'} in time.`;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function nameOf({ app }: RequestTrace): string {
  return isAppName(app) ? `The ${APP_LABELS[app].toLowerCase()}` : app;
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
