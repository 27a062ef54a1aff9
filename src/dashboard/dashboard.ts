import { Roster } from './apps';
import { Monitor } from './monitor';
import { Numbers } from './numbers';
import { Colors, type Palette } from './palette';
import { Queue } from './queue';
import { Timeline } from './timeline/timeline';
import type { Part, View } from './view';

const PARTS = { timeline: Timeline, queue: Queue, numbers: Numbers };

/** What a dashboard can show. */
export type DashboardPart = keyof typeof PARTS;

/** In the order in which they are shown. */
export const PART_NAMES: readonly DashboardPart[] = ['timeline', 'queue', 'numbers'];

/** What is in an element's shadow: the parts that are shown, kept up to date while it is live. */
export class Dashboard implements View {
  readonly roster = new Roster();
  readonly #root: ShadowRoot;
  readonly #colors: Colors;
  readonly #parts = new Map<DashboardPart, Part>();
  /** It may have been hidden while the colours changed, or the font. */
  readonly #size = new ResizeObserver(() => this.recolor());
  #monitor = new Monitor();
  #shown: readonly DashboardPart[] = PART_NAMES;
  #font = '';
  #live = false;
  #unsubscribe = () => {};

  constructor(root: ShadowRoot) {
    this.#root = root;
    this.#colors = new Colors(this.roster, () => this.recolor());
    root.append(this.#colors.element);
  }

  get monitor(): Monitor {
    return this.#monitor;
  }

  get palette(): Palette {
    return this.#colors.palette;
  }

  get font(): string {
    return this.#font;
  }

  set monitor(monitor: Monitor) {
    this.#whileStopped(() => {
      this.#monitor = monitor;
    });
  }

  set shown(parts: readonly DashboardPart[]) {
    this.#whileStopped(() => {
      this.#shown = parts;
    });
  }

  start(): void {
    if (this.#live) return;
    this.#live = true;
    this.#build();
    this.#readStyles();
    this.#unsubscribe = this.#monitor.subscribe(() => this.update());
    this.update();
    for (const part of this.#parts.values()) part.start();
    this.#size.observe(this.#root.host);
  }

  stop(): void {
    if (!this.#live) return;
    this.#live = false;
    this.#size.disconnect();
    this.#unsubscribe();
    for (const part of this.#parts.values()) part.stop();
  }

  update(): void {
    if (!this.#live) return;
    const known = this.roster.all.length;
    for (const app of Object.keys(this.#monitor.snapshot?.metrics.byApp ?? {})) this.roster.of(app);
    if (this.roster.all.length !== known) this.#colors.renew();
    for (const part of this.#parts.values()) part.update();
  }

  recolor(): void {
    if (!this.#live) return;
    this.#readStyles();
    for (const part of this.#parts.values()) part.recolor();
  }

  #readStyles(): void {
    this.#font = getComputedStyle(this.#root.host).fontFamily;
    this.#colors.renew();
  }

  /** Makes the parts that are to be shown, and lets go of the others. */
  #build(): void {
    for (const name of PART_NAMES) {
      if (!this.#shown.includes(name)) {
        this.#parts.get(name)?.element.remove();
        this.#parts.delete(name);
        continue;
      }
      const part = this.#parts.get(name) ?? new PARTS[name](this);
      this.#parts.set(name, part);
      this.#root.append(part.element);
    }
  }

  #whileStopped(change: () => void): void {
    const live = this.#live;
    this.stop();
    change();
    if (live) this.start();
  }
}
