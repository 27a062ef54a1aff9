import type { PolicyName, RequestTrace, Snapshot } from '../../client';
import { APP_LABELS, APP_NAMES, type AppName, isAppName } from '../design/apps';
import { percent } from '../design/format';
import type { PolicySwitch } from '../store/live';

interface Situation {
  snapshot: Snapshot;
  policy: PolicyName;
  attainment: Record<AppName, number | undefined>;
  lastSwitch: PolicySwitch | undefined;
}

/** A switch is still news for this long, ms. */
const NEWS_MS = 30_000;

/** What the dashboard shows just now, in words. */
export function account({ snapshot, policy, attainment, lastSwitch }: Situation): string {
  const { requests } = snapshot;
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

function contention({ requests, capacity }: Snapshot, policy: PolicyName): string {
  const running = requests.filter((r) => r.state === 'decode' || r.state === 'prefill');
  const held = requests.length - running.length;
  if (policy === 'webllm') {
    const [first] = running;
    if (first === undefined || held === 0) return 'One request runs at a time.';
    return `${nameOf(first)} has the engine to itself while ${count(held, 'request waits', 'requests wait')} behind it.`;
  }
  const share = `${count(running.length, 'request shares', 'requests share')} each step of the engine, of at most ${capacity.maxBatch}`;
  if (policy === 'tempo' && held > 0) {
    return `${share}; ${count(held, 'other is held back', 'others are held back')}, because ${held === 1 ? 'it' : 'they'} can wait.`;
  }
  return held > 0 ? `${share}; ${count(held, 'other waits', 'others wait')}.` : `${share}.`;
}

/** What a switch of policy has done to the app it did most to; undefined while that is unknown. */
function comparison(
  { from, to, attainmentBefore }: PolicySwitch,
  attainment: Record<AppName, number | undefined>,
): string | undefined {
  let most: { app: AppName; before: number; now: number } | undefined;
  for (const app of APP_NAMES) {
    const before = attainmentBefore[app];
    const now = attainment[app];
    if (before === undefined || now === undefined) continue;
    if (most === undefined || Math.abs(now - before) > Math.abs(most.now - most.before)) {
      most = { app, before, now };
    }
  }
  if (most === undefined || Math.abs(most.now - most.before) < 0.05) return undefined;
  const { app, before, now } = most;
  return `${APP_LABELS[app]} was in time ${percent(before)} of the time under ${from}; under ${to} it is ${percent(now)}.`;
}

function standing(attainment: Record<AppName, number | undefined>): string {
  const late = APP_NAMES.filter((app) => (attainment[app] ?? 1) < 0.9);
  if (late.length === 0) return 'Every app is in time.';
  const names = late.map((app) => `${APP_LABELS[app]} (${percent(attainment[app])} in time)`);
  return `Late: ${names.join(', ')}.`;
}

function nameOf({ app }: RequestTrace): string {
  return isAppName(app) ? `The ${APP_LABELS[app].toLowerCase()}` : app;
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
