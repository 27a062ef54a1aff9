import { type Snapshot, TempoError } from '../client';

/** A line beside an app's lanes, in the manner of `TTFT, p95   91 of 800 ms`. */
export interface DashboardFact {
  name: string;
  value: string;
  /** What the value is held against, or its unit. */
  target?: string;
}

/** How a dashboard shows one app. */
export interface DashboardApp {
  /** What it is called. Default: its name. */
  label?: string | null;
  /** Any CSS colour, `var(--…)` and `light-dark(…)` included. Default: one of a palette, by its name. */
  color?: string | null;
  /** Lanes that its track has from the start, 1 to 8; it gets more as they are needed. Default: 2. */
  lanes?: number | null;
  /** The lines beside its lanes. Default: latencies against its objective. */
  facts?: ((snapshot: Snapshot | undefined) => readonly DashboardFact[]) | null;
}

/** By name, in the order in which they are shown. Apps that are not in it follow as they appear. */
export type DashboardApps = Readonly<Record<string, DashboardApp>>;

/** An app as it is shown. */
export interface AppLook {
  readonly name: string;
  readonly label: string;
  /** A CSS colour. */
  readonly color: string;
  readonly lanes: number;
  readonly facts: DashboardApp['facts'];
}

/** Colours of the palette, `--app-1` and so on. */
const COLORS = 8;
const DEFAULT_LANES = 2;
const MOST_LANES = 8;

/** All apps that a dashboard knows, and how it shows them. */
export class Roster {
  #configured: DashboardApps = {};
  /** Names that are not configured, as they appeared. */
  readonly #met = new Set<string>();
  #looks = new Map<string, AppLook>();

  /** Configured apps first. */
  get all(): readonly AppLook[] {
    return [...this.#looks.values()];
  }

  /** An app's look; one that was not known yet is from now on. */
  of(name: string): AppLook {
    let look = this.#looks.get(name);
    if (look === undefined) {
      this.#met.add(name);
      look = this.#lookOf(name);
      this.#looks.set(name, look);
    }
    return look;
  }

  /** The place of an app in `all`. */
  indexOf(name: string): number {
    return [...this.#looks.keys()].indexOf(name);
  }

  configure(apps: DashboardApps): void {
    this.#configured = apps;
    this.#looks = new Map();
    for (const name of [...Object.keys(apps), ...this.#met]) {
      if (!this.#looks.has(name)) this.#looks.set(name, this.#lookOf(name));
    }
  }

  #lookOf(name: string): AppLook {
    const { label, color, lanes, facts } = Object.hasOwn(this.#configured, name)
      ? this.#configured[name]
      : {};
    return {
      name,
      label: label ?? name,
      color: color ?? this.#paletteColor(name),
      lanes: lanes ?? DEFAULT_LANES,
      facts,
    };
  }

  /** By the name, so that it is the same on every visit, unless another has it already. */
  #paletteColor(name: string): string {
    const taken = new Set(this.all.map(({ color }) => color));
    const first = hash(name) % COLORS;
    const colors = Array.from(
      { length: COLORS },
      (_, i) => `var(--app-${((first + i) % COLORS) + 1})`,
    );
    return colors.find((color) => !taken.has(color)) ?? colors[0];
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return value;
}

const CHECKS: Record<keyof DashboardApp, { is: (value: unknown) => boolean; words: string }> = {
  label: { is: isString, words: 'a string' },
  color: { is: isString, words: 'a CSS colour' },
  lanes: {
    is: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_LANES,
    words: `a whole number from 1 to ${MOST_LANES}`,
  },
  facts: { is: (value) => typeof value === 'function', words: 'a function' },
};

/** Throws `invalid_request`, naming the field, unless `apps` is what a dashboard takes. */
export function checkApps(apps: DashboardApps | null | undefined): DashboardApps {
  if (apps === undefined || apps === null) return {};
  if (typeof apps !== 'object') throw wrong('apps', 'an object of apps by name');
  for (const [name, app] of Object.entries(apps)) {
    if (name === '') throw wrong('apps', 'an object of apps by name, and no name is empty');
    const param = `apps.${name}`;
    if (typeof app !== 'object' || app === null) throw wrong(param, 'an object');
    for (const [field, value] of Object.entries(app)) {
      if (!isField(field)) {
        const known = Object.keys(CHECKS).join(', ');
        throw new TempoError('invalid_request', `${param} has no "${field}"; it takes ${known}.`, {
          param: `${param}.${field}`,
        });
      }
      const { is, words } = CHECKS[field];
      if (value !== undefined && value !== null && !is(value)) {
        throw wrong(`${param}.${field}`, words);
      }
    }
  }
  return apps;
}

function isField(name: string): name is keyof DashboardApp {
  return Object.hasOwn(CHECKS, name);
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function wrong(param: string, words: string): TempoError {
  return new TempoError('invalid_request', `${param} must be ${words}.`, { param });
}
