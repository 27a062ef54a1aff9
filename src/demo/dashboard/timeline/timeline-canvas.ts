import type { StepTrace } from '../../../client';
import { onPaletteChange, type Palette, readPalette } from '../../design/palette';
import type { StepHistory } from '../../store/step-history';
import { draw, msAt, type Scene, xAt } from './draw';
import { TIMELINE_HEIGHT } from './geometry';

/** How far back the timeline reaches, ms. */
export const ZOOMS = [2000, 4000, 8000, 20_000] as const;

export type Zoom = (typeof ZOOMS)[number];

/** What is under the pointer or the keyboard's cursor. */
export interface Selection {
  step: StepTrace;
  x: number;
}

/** The view runs this far behind the server's clock, so that what it shows has arrived. */
const DELAY_MS = 140;
/** With reduced motion the view moves on in steps of this, ms. */
const REDUCED_EVERY_MS = 500;

/**
 * Draws the history on a canvas, once a frame and only when there is something new. It stands still
 * while it is paused or somebody looks closer.
 */
export class TimelineCanvas {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #history: StepHistory;
  readonly #onSelect: (selection: Selection | undefined) => void;
  readonly #reduced = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #stops: (() => void)[] = [];
  #palette: Palette;
  #frame = 0;
  #dirty = true;
  #drawnVersion = -1;
  #drawnAt = 0;
  #visible = true;
  #width = 0;
  #pastMs = 8000;
  #headHeight = 0;
  #paused = false;
  #held = false;
  #heldNowMs = 0;
  #selected: StepTrace | undefined;

  constructor(
    canvas: HTMLCanvasElement,
    history: StepHistory,
    onSelect: (selection: Selection | undefined) => void,
  ) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('This browser has no 2D canvas.');
    this.#canvas = canvas;
    this.#context = context;
    this.#history = history;
    this.#onSelect = onSelect;
    this.#palette = readPalette();
    this.#stops.push(
      onPaletteChange(() => {
        this.#palette = readPalette();
        this.#dirty = true;
      }),
    );
    const size = new ResizeObserver(() => this.#resize());
    size.observe(canvas);
    const seen = new IntersectionObserver(([entry]) => {
      this.#visible = entry.isIntersecting;
      this.#dirty = true;
    });
    seen.observe(canvas);
    this.#stops.push(
      () => size.disconnect(),
      () => seen.disconnect(),
    );
    void document.fonts?.ready.then(() => {
      this.#dirty = true;
    });
    this.#resize();
    const frame = () => {
      this.#frame = requestAnimationFrame(frame);
      this.#draw();
    };
    this.#frame = requestAnimationFrame(frame);
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    for (const stop of this.#stops) stop();
  }

  set pastMs(ms: number) {
    this.#pastMs = ms;
    this.#dirty = true;
  }

  set headHeight(height: number) {
    this.#headHeight = height;
    this.#dirty = true;
  }

  set paused(paused: boolean) {
    this.#freeze(paused || this.#held);
    this.#paused = paused;
  }

  /** Selects the step at this x, px, and holds the view. */
  point(x: number): void {
    this.#hold();
    this.#select(this.#history.indexAt(msAt(this.#scene(), x)));
  }

  /** Moves the selection by whole steps, from the latest one. */
  move(by: number): void {
    this.#hold();
    const latest = this.#history.indexAt(this.#heldNowMs);
    const from = this.#selected ? this.#history.steps.indexOf(this.#selected) : latest + 1;
    this.#select(Math.min(latest, Math.max(0, from + by)));
  }

  /** Lets the view go on. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#freeze(this.#paused);
    this.#select(-1);
  }

  #hold(): void {
    this.#freeze(true);
    this.#held = true;
  }

  #freeze(frozen: boolean): void {
    if (frozen && !this.#frozen) this.#heldNowMs = this.#history.nowMs() - DELAY_MS;
    this.#dirty = true;
  }

  get #frozen(): boolean {
    return this.#paused || this.#held;
  }

  #select(index: number): void {
    const step = this.#history.steps[index];
    this.#selected = step;
    this.#dirty = true;
    this.#onSelect(step && { step, x: xAt(this.#scene(), (step.startMs + step.endMs) / 2) });
  }

  #resize(): void {
    const { width } = this.#canvas.getBoundingClientRect();
    this.#width = width;
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(TIMELINE_HEIGHT * devicePixelRatio);
    this.#dirty = true;
    this.#draw();
  }

  #draw(): void {
    if (!this.#visible || this.#width === 0) return;
    const now = performance.now();
    const { version, live } = this.#history;
    if (!this.#dirty) {
      if (this.#frozen) return;
      if (version === this.#drawnVersion && (!live || this.#reduced.matches)) return;
      if (this.#reduced.matches && now - this.#drawnAt < REDUCED_EVERY_MS) return;
    }
    this.#dirty = false;
    this.#drawnVersion = version;
    this.#drawnAt = now;
    draw(this.#scene());
  }

  #scene(): Scene {
    return {
      context: this.#context,
      history: this.#history,
      palette: this.#palette,
      width: this.#width,
      pixelRatio: devicePixelRatio,
      nowMs: this.#frozen ? this.#heldNowMs : this.#history.nowMs() - DELAY_MS,
      pastMs: this.#pastMs,
      futureMs: Math.max(this.#pastMs * 0.16, (96 / Math.max(1, this.#width - 96)) * this.#pastMs),
      headHeight: this.#headHeight,
      selected: this.#selected,
      font: 'Plex, ui-sans-serif, system-ui, sans-serif',
    };
  }
}
