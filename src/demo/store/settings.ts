import { create } from 'zustand';
import { persist } from 'zustand/middleware';

export type Theme = 'system' | 'light' | 'dark';

interface Settings {
  theme: Theme;
  /** Scripted visitors keep the three apps busy. */
  demoTraffic: boolean;
  setTheme(theme: Theme): void;
  setDemoTraffic(on: boolean): void;
}

/** What the page remembers from visit to visit. */
export const useSettings = create<Settings>()(
  persist(
    (set) => ({
      theme: 'system',
      demoTraffic: true,
      setTheme: (theme) => set({ theme }),
      setDemoTraffic: (demoTraffic) => set({ demoTraffic }),
    }),
    { name: 'tempo.settings' },
  ),
);

function applyTheme({ theme }: Settings): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

applyTheme(useSettings.getState());
useSettings.subscribe(applyTheme);
