import { create } from 'zustand';
import type { PolicyName } from '../../client';
import { useLive } from '../store/live';
import { type Choice, readAddress, writeAddress } from './address';
import { SCENARIOS, type ScenarioName } from './scenarios';
import type { Standing } from './standing';
import type { Verdict } from './verdict';

interface Lesson {
  scenario: ScenarioName;
  load: number;
  seed: number;
  /** The policy below; the one above is the live engine's. */
  b: PolicyName;
  /** Extra visitors that were asked for; each number is a burst. */
  bursts: number;
  verdict: Verdict | undefined;
  standings: readonly Standing[];
  /** The request that is looked at: the name that it arrived under. */
  pinned: string | undefined;
  /** What the address asked for and cannot be. */
  problems: readonly string[];
  setScenario(scenario: ScenarioName): void;
  setLoad(load: number): void;
  setB(policy: PolicyName): void;
  burst(): void;
  pin(id: string | undefined): void;
  dismiss(): void;
}

const DEFAULTS = { scenario: 'rush', seed: 2, b: 'fcfs' } as const;

const { choice, problems } = readAddress(location.search);
const scenario = choice.scenario ?? DEFAULTS.scenario;

export const useLesson = create<Lesson>()((set) => ({
  scenario,
  load: choice.load ?? SCENARIOS[scenario].load,
  seed: choice.seed ?? DEFAULTS.seed,
  b: choice.b ?? DEFAULTS.b,
  bursts: 0,
  verdict: undefined,
  standings: [],
  pinned: undefined,
  problems,
  setScenario: (next) => set({ scenario: next, load: SCENARIOS[next].load, pinned: undefined }),
  setLoad: (load) => set({ load }),
  setB: (b) => set({ b }),
  burst: () => set(({ bursts }) => ({ bursts: bursts + 1 })),
  pin: (pinned) => set({ pinned }),
  dismiss: () => set({ problems: [] }),
}));

/** What is chosen now. */
function chosen(): Choice {
  const { scenario: s, load, seed, b } = useLesson.getState();
  return { scenario: s, load, seed, b, a: useLive.getState().policy };
}

/** The address says what is shown, from now on. */
export function followInAddress(): void {
  const write = () => {
    const query = writeAddress(chosen());
    if (query === location.search) return;
    history.replaceState(history.state, '', `${location.pathname}${query}${location.hash}`);
  };
  useLesson.subscribe(write);
  useLive.subscribe(({ policy }, before) => {
    if (policy !== before.policy) write();
  });
  write();
}
