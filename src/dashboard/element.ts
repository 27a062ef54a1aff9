import { type Tempo, TempoError } from '../client';
import { checkApps, type DashboardApps } from './apps';
import { Dashboard, PART_NAMES } from './dashboard';
import { Monitor, monitorOf } from './monitor';
import { styleSheets } from './styles';

/** What can be set on `<tempo-dashboard>`, as properties; `show` and `theme` as attributes, too. */
export interface TempoDashboardProps {
  /** The Tempo whose work is shown. */
  tempo?: Tempo | null;
  /** Labels, colours and order of the apps. */
  apps?: DashboardApps | null;
  /** Which parts, by their names with spaces between. Default: all. */
  show?: string | null;
  /** `light` or `dark`. Default: the `color-scheme` of where it stands. */
  theme?: 'light' | 'dark' | null;
}

/** On a server there are no elements; the module can be imported there all the same. */
const Base: typeof HTMLElement =
  globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

/**
 * `<tempo-dashboard>`: what a Tempo does at every step, and how well.
 *
 * ```ts
 * import 'tempo-llm/dashboard';
 *
 * const dashboard = document.createElement('tempo-dashboard');
 * dashboard.tempo = tempo;
 * dashboard.apps = { chat: { label: 'Chat', color: 'rebeccapurple' } };
 * document.body.append(dashboard);
 * ```
 *
 * It fills the width that it is given. Styles reach in by custom properties (`--tempo-surface`,
 * `--tempo-sunken`, `--tempo-ink`, `--tempo-ink-2`, `--tempo-ink-3`, `--tempo-rule`,
 * `--tempo-rule-strong`, `--tempo-late`, `--tempo-focus`, `--tempo-app-1` to `--tempo-app-8`,
 * `--tempo-font`, `--tempo-text`: the size of its text) and by `::part()` (`timeline`, `queue`,
 * `numbers`, `head`, `track-head`, `canvas`, `step-card`).
 *
 * All dashboards of one Tempo share what they remember, the last minute.
 */
export class TempoDashboard extends Base {
  static readonly observedAttributes = ['show'];

  readonly #dashboard: Dashboard;
  #tempo: Tempo | undefined;
  #apps: DashboardApps = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = styleSheets();
    this.#dashboard = new Dashboard(root);
  }

  get tempo(): Tempo | undefined {
    return this.#tempo;
  }

  /** Throws `invalid_request` for what is no Tempo. */
  set tempo(tempo: Tempo | null | undefined) {
    const next = checkTempo(tempo);
    if (next === this.#tempo) return;
    this.#tempo = next;
    this.#dashboard.monitor = next === undefined ? new Monitor() : monitorOf(next);
  }

  get apps(): DashboardApps {
    return this.#apps;
  }

  /** Throws `invalid_request`, naming the field. */
  set apps(apps: DashboardApps | null | undefined) {
    this.#apps = checkApps(apps);
    this.#dashboard.roster.configure(this.#apps);
    this.#dashboard.update();
    this.#dashboard.recolor();
  }

  get show(): string {
    return this.getAttribute('show') ?? PART_NAMES.join(' ');
  }

  set show(parts: string | null | undefined) {
    this.#reflect('show', parts);
  }

  get theme(): 'light' | 'dark' | undefined {
    const theme = this.getAttribute('theme');
    return theme === 'light' || theme === 'dark' ? theme : undefined;
  }

  set theme(theme: 'light' | 'dark' | null | undefined) {
    this.#reflect('theme', theme);
  }

  /** Writes a line with a word across the timeline, here and now. */
  mark(text: string): void {
    this.#dashboard.monitor.history.mark(String(text));
  }

  connectedCallback(): void {
    for (const name of ['tempo', 'apps', 'show', 'theme']) this.#upgrade(name);
    this.#dashboard.start();
  }

  disconnectedCallback(): void {
    this.#dashboard.stop();
  }

  attributeChangedCallback(): void {
    const words = this.show.split(/\s+/).filter(Boolean);
    this.#dashboard.shown = PART_NAMES.filter((name) => words.includes(name));
    const unknown = words.filter((word) => !PART_NAMES.some((name) => name === word));
    if (unknown.length > 0) {
      const known = PART_NAMES.join(', ');
      console.warn(`<${this.localName}> has no part "${unknown.join('", "')}"; it has ${known}.`);
    }
  }

  #reflect(attribute: string, value: string | null | undefined): void {
    if (value === undefined || value === null) this.removeAttribute(attribute);
    else this.setAttribute(attribute, value);
  }

  /** A property that was set before the element was defined hides the one that is meant. */
  #upgrade(name: string): void {
    if (!Object.hasOwn(this, name)) return;
    const value: unknown = Reflect.get(this, name);
    Reflect.deleteProperty(this, name);
    Reflect.set(this, name, value);
  }
}

function checkTempo(tempo: Tempo | null | undefined): Tempo | undefined {
  if (tempo === undefined || tempo === null) return undefined;
  if (typeof tempo === 'object' && typeof tempo.watch === 'function') return tempo;
  throw new TempoError(
    'invalid_request',
    'The tempo of a dashboard is what createTempo returned, or null.',
    { param: 'tempo' },
  );
}
