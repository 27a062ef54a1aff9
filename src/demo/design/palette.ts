import { APP_NAMES, type AppName } from './apps';

/** The tokens that a canvas draws with, as colours it understands. */
export interface Palette {
  apps: Record<AppName, string>;
  ink: string;
  ink2: string;
  ink3: string;
  rule: string;
  ruleStrong: string;
  surface: string;
  sunken: string;
  late: string;
}

/** Reads the tokens as they stand. `light-dark()` resolves only on an element, so one is asked. */
export function readPalette(): Palette {
  const probe = document.createElement('span');
  document.body.append(probe);
  const read = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const apps = Object.fromEntries(APP_NAMES.map((app) => [app, read(app)]));
  const palette: Palette = {
    apps: { chat: apps.chat, agent: apps.agent, summarizer: apps.summarizer },
    ink: read('ink'),
    ink2: read('ink-2'),
    ink3: read('ink-3'),
    rule: read('rule'),
    ruleStrong: read('rule-strong'),
    surface: read('surface'),
    sunken: read('sunken'),
    late: read('late'),
  };
  probe.remove();
  return palette;
}

/** Calls back when the colours change: by the toggle, or by the system. Returns how to stop. */
export function onPaletteChange(listener: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const toggle = new MutationObserver(listener);
  toggle.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  system.addEventListener('change', listener);
  return () => {
    toggle.disconnect();
    system.removeEventListener('change', listener);
  };
}
