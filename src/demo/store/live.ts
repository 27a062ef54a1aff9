import { create } from 'zustand';
import type { PolicyName, ServerState, Slo, Snapshot } from '../../client';
import { type AppName, DEFAULT_SLOS } from '../design/apps';
import { RecentAttainment } from './attainment';
import { type Score, Scoreboard } from './scoreboard';
import { Series } from './series';
import { StepHistory } from './step-history';
import { apps, tempo } from './tempo';

type PerApp<T> = Record<AppName, T>;

/** A change of policy, and how the apps stood at that moment. */
export interface PolicySwitch {
  from: PolicyName;
  to: PolicyName;
  atMs: number;
  attainmentBefore: PerApp<number | undefined>;
}

interface Live {
  state: ServerState;
  /** Refreshed a few times a second: numbers that change faster cannot be read. */
  snapshot: Snapshot | undefined;
  policy: PolicyName;
  attainment: PerApp<number | undefined>;
  /** Output tokens per second, of late. */
  tokenRates: PerApp<number>;
  lastSwitch: PolicySwitch | undefined;
  scores: readonly Score[];
  slos: PerApp<Slo>;
  setPolicy(policy: PolicyName): Promise<void>;
  /** Throws a TempoError when the objective is absurd. */
  setSlo(app: AppName, slo: Slo): Promise<void>;
}

/** What the agent's programs get as their deadline, ms. */
export function agentDeadlineMs({ agent }: Live['slos']): number {
  return agent.class === 'deadline' ? agent.ttlt : DEFAULT_SLOS.agent.ttlt;
}

/** The last minute of steps, for the timeline. */
export const history = new StepHistory();
/** The last minute of counters, for the charts. */
export const series = new Series();

const recent = new RecentAttainment();
const scoreboard = new Scoreboard();
const NUMBERS_EVERY_MS = 250;

export const useLive = create<Live>()((set, get) => ({
  state: tempo.state,
  snapshot: undefined,
  policy: 'tempo',
  attainment: { chat: undefined, agent: undefined, summarizer: undefined },
  tokenRates: { chat: 0, agent: 0, summarizer: 0 },
  lastSwitch: undefined,
  scores: [],
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
    recent.restart();
    history.mark(policy);
    set({
      lastSwitch: { from, to: policy, atMs: history.atMs, attainmentBefore: get().attainment },
    });
  },

  async setSlo(app, slo) {
    await apps[app].setSlo(slo);
    set({ slos: { ...get().slos, [app]: slo } });
  },
}));

let shownAtMs = Number.NEGATIVE_INFINITY;

function show(snapshot: Snapshot): void {
  history.add(snapshot);
  series.add(snapshot);
  scoreboard.add(snapshot);
  const attainment = recent.add(snapshot);
  const now = performance.now();
  if (now - shownAtMs < NUMBERS_EVERY_MS) return;
  shownAtMs = now;
  useLive.setState(({ tokenRates }) => ({
    snapshot,
    attainment,
    tokenRates: series.points.at(-1)?.tokensPerSecond ?? tokenRates,
    scores: [...scoreboard.scores],
  }));
}

/** Starts listening; called once, when the page opens. */
export function watchLive(): void {
  tempo.onState((state) => useLive.setState({ state }));
  tempo.watch(show);
}
