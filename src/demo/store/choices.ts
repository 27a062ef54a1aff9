import { POLICY_NAMES, type PolicyName, type Slo } from '../../client';
import { SIMULATED_DEVICES } from '../dashboard/engine/models';
import { APP_NAMES, type AppName, DEFAULT_SLOS } from '../design/apps';

export type Theme = 'system' | 'light' | 'dark';

/** What the reader chose of the scheduler and its engine. */
export interface Choices {
  theme: Theme;
  trafficChoice: boolean;
  policy: PolicyName;
  slos: Record<AppName, Slo>;
  /** The simulated device; a real model is loaded again only when it is asked for. */
  device: string;
}

/** A day, as the server allows. */
const MOST_MS = 86_400_000;

/** Of what was stored, the choices that can be taken over; the others are left out. */
export function saneChoices(stored: unknown): Partial<Choices> {
  const { theme, trafficChoice, policy, slos, device } = fieldsOf(stored);
  const choices: Partial<Choices> = {};
  if (theme === 'system' || theme === 'light' || theme === 'dark') choices.theme = theme;
  if (typeof trafficChoice === 'boolean') choices.trafficChoice = trafficChoice;
  const known = POLICY_NAMES.find((name) => name === policy);
  if (known !== undefined) choices.policy = known;
  if (SIMULATED_DEVICES.some(({ id }) => id === device)) choices.device = String(device);
  const own: Record<AppName, Slo> = { ...DEFAULT_SLOS };
  for (const app of APP_NAMES) own[app] = sloOf(app, fieldsOf(slos)[app]) ?? own[app];
  choices.slos = own;
  return choices;
}

/** An objective that this app can have. */
function sloOf(app: AppName, stored: unknown): Slo | undefined {
  const { class: kind, ttft, tbt, ttlt } = fieldsOf(stored);
  if (app === 'chat' && kind === 'latency' && isTime(ttft) && isTime(tbt)) {
    return { class: kind, ttft, tbt };
  }
  if (app !== 'chat' && kind === 'deadline' && isTime(ttlt)) return { class: kind, ttlt };
  return app === 'summarizer' && kind === 'best-effort' ? { class: kind } : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= MOST_MS;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
