import type { Explanation, PolicyName, Reason, RequestTrace, Snapshot } from '../../client';
import type { Attainment } from '../../dashboard/attainment';
import { percent } from '../../dashboard/format';
import { APP_LABELS, APP_NAMES, type AppName, isAppName } from '../design/apps';
import type { PolicySwitch } from '../store/live';

interface Situation {
  snapshot: Snapshot;
  policy: PolicyName;
  attainment: Attainment;
  lastSwitch: PolicySwitch | undefined;
}

/** A switch is still news for this long, ms. */
const NEWS_MS = 30_000;

/** What the dashboard shows just now, in words. */
export function account({ snapshot, policy, attainment, lastSwitch }: Situation): string {
  const { requests, state } = snapshot;
  if (state.phase === 'loading') return 'A model is loading. Requests wait until it is there.';
  if (requests.length === 0) {
    return 'Nothing is running. Send a message, give the agent a task, or turn on demo traffic.';
  }
  const sentences = [contention(snapshot, policy)];
  const news =
    lastSwitch?.to === policy && snapshot.atMs - lastSwitch.atMs < NEWS_MS ? lastSwitch : undefined;
  const change = news && comparison(news, attainment);
  sentences.push(change ?? standing(attainment));
  return sentences.join(' ');
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
  { from, to, attainmentBefore }: PolicySwitch,
  attainment: Attainment,
): string | undefined {
  let most: { app: AppName; before: number; now: number } | undefined;
  for (const app of APP_NAMES) {
    const before = attainmentBefore.get(app);
    const now = attainment.get(app);
    if (before === undefined || now === undefined) continue;
    if (most === undefined || Math.abs(now - before) > Math.abs(most.now - most.before)) {
      most = { app, before, now };
    }
  }
  if (most === undefined || Math.abs(most.now - most.before) < 0.05) return undefined;
  const { app, before, now } = most;
  return `${APP_LABELS[app]} was in time ${percent(before)} of the time under ${from}; under ${to} it is ${percent(now)}.`;
}

function standing(attainment: Attainment): string {
  const late = APP_NAMES.filter((app) => (attainment.get(app) ?? 1) < 0.9);
  if (late.length === 0) return 'Every app is in time.';
  const names = late.map((app) => `${APP_LABELS[app]} (${percent(attainment.get(app))} in time)`);
  return `Late: ${names.join(', ')}.`;
}

function nameOf({ app }: RequestTrace): string {
  return isAppName(app) ? `The ${APP_LABELS[app].toLowerCase()}` : app;
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
