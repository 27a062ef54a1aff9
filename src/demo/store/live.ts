import { create } from 'zustand';
import type { PolicyName, ServerState, Slo, Snapshot } from '../../client';
import type { Attainment } from '../../dashboard/attainment';
import { monitorOf } from '../../dashboard/monitor';
import { type AppName, DEFAULT_SLOS } from '../design/apps';
import { apps, tempo } from './tempo';

/** A change of policy, and how the apps stood at that moment. */
export interface PolicySwitch {
  from: PolicyName;
  to: PolicyName;
  atMs: number;
  attainmentBefore: Attainment;
}

interface Live {
  state: ServerState;
  /** Refreshed a few times a second: numbers that change faster cannot be read. */
  snapshot: Snapshot | undefined;
  policy: PolicyName;
  attainment: Attainment;
  lastSwitch: PolicySwitch | undefined;
  slos: Record<AppName, Slo>;
  setPolicy(policy: PolicyName): Promise<void>;
  /** Throws a TempoError when the objective is absurd. */
  setSlo(app: AppName, slo: Slo): Promise<void>;
}

/** What the agent's programs get as their deadline, ms. */
export function agentDeadlineMs({ agent }: Live['slos']): number {
  return agent.class === 'deadline' ? agent.ttlt : DEFAULT_SLOS.agent.ttlt;
}

/** What the page's dashboards show, too. */
const monitor = monitorOf(tempo);

export const useLive = create<Live>()((set, get) => ({
  state: tempo.state,
  snapshot: undefined,
  policy: 'tempo',
  attainment: new Map(),
  lastSwitch: undefined,
  slos: DEFAULT_SLOS,

  async setPolicy(policy) {
    const from = get().policy;
    if (policy === from) return;
    // The control answers at once; should the server refuse, it goes back.
    set({ policy });
    try {
      await tempo.setPolicy(policy);
    } catch (thrown) {
      set({ policy: from });
      throw thrown;
    }
    const { atMs } = monitor.history;
    set({ lastSwitch: { from, to: policy, atMs, attainmentBefore: get().attainment } });
  },

  async setSlo(app, slo) {
    await apps[app].setSlo(slo);
    set({ slos: { ...get().slos, [app]: slo } });
  },
}));

/** Starts listening; called once, when the page opens. */
export function watchLive(): void {
  tempo.onState((state) => useLive.setState({ state }));
  monitor.subscribe(() => {
    const { snapshot, attainment } = monitor;
    useLive.setState({ snapshot, attainment });
  });
}
