import { create } from 'zustand';
import type { PolicyName, ServerState, Slo, Snapshot } from '../../client';
import { monitorOf } from '../../dashboard/monitor';
import { type AppName, DEFAULT_SLOS } from '../design/apps';
import { useSettings } from './settings';
import { apps, tempo } from './tempo';

interface Live {
  state: ServerState;
  /** Refreshed a few times a second: numbers that change faster cannot be read. */
  snapshot: Snapshot | undefined;
  policy: PolicyName;
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
export const monitor = monitorOf(tempo);

export const useLive = create<Live>()((set, get) => ({
  state: tempo.state,
  snapshot: undefined,
  policy: useSettings.getState().policy,
  slos: useSettings.getState().slos,

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
    useSettings.setState({ policy });
  },

  async setSlo(app, slo) {
    await apps[app].setSlo(slo);
    const slos = { ...get().slos, [app]: slo };
    set({ slos });
    useSettings.setState({ slos });
  },
}));

/** Starts listening; called once, when the page opens. */
export function watchLive(): void {
  tempo.onState((state) => useLive.setState({ state }));
  monitor.subscribe(() => {
    useLive.setState({ snapshot: monitor.snapshot });
  });
}
