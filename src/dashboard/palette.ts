import type { Roster } from './apps';
import { h } from './dom';

/** The tokens that a canvas draws with. */
const TOKENS = [
  'ink',
  'ink-2',
  'ink-3',
  'rule',
  'rule-strong',
  'surface',
  'sunken',
  'late',
] as const;

type Token = (typeof TOKENS)[number];

/** Resolved colours, which a canvas understands. */
export interface Palette {
  readonly ink: string;
  readonly ink2: string;
  readonly ink3: string;
  readonly rule: string;
  readonly surface: string;
  readonly sunken: string;
  readonly late: string;
  /** Of an app, by its name. */
  app(name: string): string;
}

/**
 * What the tokens and the apps' colours come to where `root` is: `var()` and `light-dark()` resolve only
 * on an element. Calls back when they change, by whatever rule.
 */
export class Colors {
  /** Holds the probes; belongs into the shadow tree. */
  readonly element = h('div', { class: 'probes', 'aria-hidden': 'true' });
  readonly #tokens = new Map<Token, HTMLElement>();
  readonly #apps = new Map<string, HTMLElement>();
  readonly #roster: Roster;
  #palette: Palette | undefined;

  constructor(roster: Roster, onChange: () => void) {
    this.#roster = roster;
    for (const token of TOKENS) {
      const probe = this.#probe(`var(--${token})`);
      this.#tokens.set(token, probe);
    }
    // A colour that changes begins a transition, however short: that is how one hears of it.
    this.element.addEventListener('transitionend', () => {
      this.#palette = undefined;
      onChange();
    });
  }

  get palette(): Palette {
    this.#palette ??= this.#read();
    return this.#palette;
  }

  /** Apps may have other colours now. */
  renew(): void {
    for (const { name, color } of this.#roster.all) {
      const probe = this.#apps.get(name) ?? this.#probe(color);
      probe.style.color = color;
      this.#apps.set(name, probe);
    }
    this.#palette = undefined;
  }

  #probe(color: string): HTMLElement {
    const probe = h('span');
    probe.style.color = color;
    this.element.append(probe);
    return probe;
  }

  #read(): Palette {
    const token = (name: Token) => colorOf(this.#tokens.get(name));
    const apps = new Map([...this.#apps].map(([name, probe]) => [name, colorOf(probe)]));
    const ink2 = token('ink-2');
    return {
      ink: token('ink'),
      ink2,
      ink3: token('ink-3'),
      rule: token('rule'),
      surface: token('surface'),
      sunken: token('sunken'),
      late: token('late'),
      app: (name) => apps.get(name) ?? ink2,
    };
  }
}

function colorOf(probe: HTMLElement | undefined): string {
  return probe === undefined ? '' : getComputedStyle(probe).color;
}
