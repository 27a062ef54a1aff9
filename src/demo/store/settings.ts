import { create } from 'zustand';
import { persist } from 'zustand/middleware';

export type Theme = 'system' | 'light' | 'dark';

interface Settings {
  theme: Theme;
  /** Scripted visitors keep the three apps busy. */
  demoTraffic: boolean;
  /** What the reader last chose; the page itself may switch traffic off for a while. */
  trafficChoice: boolean;
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
      trafficChoice: true,
      setTheme: (theme) => set({ theme }),
      setDemoTraffic: (on) => set({ demoTraffic: on, trafficChoice: on }),
      holdTraffic: (held) => set(({ trafficChoice }) => ({ demoTraffic: trafficChoice && !held })),
    }),
    {
      name: 'tempo.settings',
      merge: (stored, initial) => ({ ...initial, ...restored(stored) }),
      partialize: ({ theme, trafficChoice }) => ({
        theme,
        trafficChoice,
        demoTraffic: trafficChoice,
      }),
    },
  ),
);

const THEMES: readonly unknown[] = ['system', 'light', 'dark'] satisfies Theme[];

/** Of what was stored, what can be used. Anything may be there: another version's, or a reader's. */
function restored(stored: unknown): Partial<Settings> {
  const { theme, trafficChoice } = Object(stored) as Partial<Settings>;
  return {
    ...(THEMES.includes(theme) && { theme }),
    ...(typeof trafficChoice === 'boolean' && { trafficChoice, demoTraffic: trafficChoice }),
  };
}

function applyTheme({ theme }: Settings): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

applyTheme(useSettings.getState());
useSettings.subscribe(applyTheme);
