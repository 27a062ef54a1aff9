import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { DEFAULT_SLOS } from '../design/apps';
import { readAddress } from '../twin/address';
import { type Choices, saneChoices, type Theme } from './choices';

interface Settings extends Choices {
  /** Scripted visitors keep the three apps busy. */
  demoTraffic: boolean;
  setTheme(theme: Theme): void;
  setDemoTraffic(on: boolean): void;
  /** Switches traffic without the reader's having asked for it: not remembered. */
  holdTraffic(held: boolean): void;
}

/** What the page remembers from visit to visit. */
export const useSettings = create<Settings>()(
  persist(
    (set) => ({
      theme: 'system',
      demoTraffic: true,
      // What the reader last chose; the page itself may switch traffic off for a while.
      trafficChoice: true,
      policy: 'tempo',
      slos: DEFAULT_SLOS,
      device: 'laptop-gpu',
      setTheme: (theme) => set({ theme }),
      setDemoTraffic: (on) => set({ demoTraffic: on, trafficChoice: on }),
      holdTraffic: (held) => set(({ trafficChoice }) => ({ demoTraffic: trafficChoice && !held })),
    }),
    {
      name: 'tempo.settings',
      partialize: ({ theme, trafficChoice, policy, slos, device }) => ({
        theme,
        trafficChoice,
        policy,
        slos,
        device,
      }),
      // What is stored may be of another version of the page, or anybody's.
      merge(stored, settings) {
        const choices = saneChoices(stored);
        const { trafficChoice = settings.trafficChoice } = choices;
        return { ...settings, ...choices, demoTraffic: trafficChoice };
      },
    },
  ),
);

// An address that names a policy counts for more than what was chosen before.
const { a: policyOfAddress } = readAddress(location.search).choice;
if (policyOfAddress !== undefined) useSettings.setState({ policy: policyOfAddress });

function applyTheme({ theme }: Settings): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

applyTheme(useSettings.getState());
useSettings.subscribe(applyTheme);
