import { EngineMenu } from './dashboard/engine/engine-menu';
import type { Theme } from './store/choices';
import { useSettings } from './store/settings';
import { useTour } from './twin/ui/tour';

export function Header() {
  return (
    <header className="top">
      <h1 className="wordmark">
        <Mark />
        <span className="top-name">Tempo</span>
      </h1>
      <p className="tagline">Who is on time depends on who goes first</p>
      <EngineMenu />
      <div className="top-tools">
        <TourButton />
        <TrafficSwitch />
        <ThemeChoice />
      </div>
    </header>
  );
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 20 16" aria-hidden="true">
      <path d="M0 2h9M13 2h7" stroke="var(--chat)" strokeWidth="4" />
      <path d="M0 8h4M8 8h12" stroke="var(--agent)" strokeWidth="4" />
      <path d="M0 14h14M18 14h2" stroke="var(--summarizer)" strokeWidth="4" />
    </svg>
  );
}

function TourButton() {
  const at = useTour((tour) => tour.at);
  const show = useTour((tour) => tour.show);
  if (at !== undefined) return null;
  return (
    <button type="button" className="button quiet tour-button" onClick={() => show(0)}>
      In a minute
    </button>
  );
}

function TrafficSwitch() {
  const on = useSettings((settings) => settings.demoTraffic);
  const setOn = useSettings((settings) => settings.setDemoTraffic);
  return (
    <label className="switch" title="Scripted visitors keep the three apps busy">
      <input
        type="checkbox"
        role="switch"
        aria-checked={on}
        checked={on}
        onChange={(event) => setOn(event.target.checked)}
      />
      <span>
        <span className="top-word">Demo</span> traffic
      </span>
    </label>
  );
}

const THEMES: Record<Theme, string> = { system: 'Auto', light: 'Light', dark: 'Dark' };

function ThemeChoice() {
  const theme = useSettings((settings) => settings.theme);
  const setTheme = useSettings((settings) => settings.setTheme);
  return (
    <label className="theme">
      <span className="top-word">Theme </span>
      <select
        className="inline-select"
        value={theme}
        onChange={(event) => {
          const chosen = Object.keys(THEMES).find(isTheme(event.target.value));
          if (chosen !== undefined) setTheme(chosen);
        }}
      >
        {Object.entries(THEMES).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

function isTheme(value: string) {
  return (name: string): name is Theme => name === value;
}
