import type { StepTrace } from '../../client';
import type { StepHistory } from '../step-history';
import type { View } from '../view';
import { draw, msAt, type Scene, xAt } from './draw';
import { Layout } from './geometry';

/** How far back the timeline reaches, ms. */
export const ZOOMS = [2000, 4000, 8000, 20_000] as const;

export type Zoom = (typeof ZOOMS)[number];

/** What is under the pointer or the keyboard's cursor. */
export interface Selection {
  step: StepTrace;
  /** What it is part of. */
  history: StepHistory;
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
  readonly #view: View;
  readonly #onSelect: (selection: Selection | undefined) => void;
  readonly #reduced = matchMedia('(prefers-reduced-motion: reduce)');
  #stops: (() => void)[] = [];
  #layout = new Layout([], () => 1);
  #dirty = true;
  #drawnVersion = -1;
  #drawnAt = 0;
  #visible = true;
  #width = 0;
  #pixelRatio = 0;
  #pastMs = 8000;
  #headHeight = 0;
  #paused = false;
  #held = false;
  #heldNowMs = 0;
  /** What there was when the view was stopped: the live history forgets it. */
  #heldHistory: StepHistory | undefined;
  #selected: StepTrace | undefined;

  constructor(
    canvas: HTMLCanvasElement,
    view: View,
    onSelect: (selection: Selection | undefined) => void,
  ) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('This browser has no 2D canvas.');
    this.#canvas = canvas;
    this.#context = context;
    this.#view = view;
    this.#onSelect = onSelect;
  }

  start(): void {
    const size = new ResizeObserver(() => this.#resize());
    size.observe(this.#canvas);
    const seen = new IntersectionObserver((entries) => {
      this.#visible = entries.at(-1)?.isIntersecting ?? true;
      this.#dirty = true;
    });
    seen.observe(this.#canvas);
    let frame = 0;
    const onFrame = () => {
      frame = requestAnimationFrame(onFrame);
      this.#draw();
    };
    onFrame();
    this.#stops = [
      () => size.disconnect(),
      () => seen.disconnect(),
      () => cancelAnimationFrame(frame),
    ];
    void document.fonts?.ready.then(() => this.redraw());
    this.redraw();
  }

  stop(): void {
    this.release();
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** Something else than the history has changed. */
  redraw(): void {
    this.#dirty = true;
  }

  set layout(layout: Layout) {
    this.#layout = layout;
    this.#canvas.style.height = `${layout.height}px`;
    this.#resize();
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

  /** What is drawn: the last minute, or the one before the view was stopped. */
  get history(): StepHistory {
    return this.#heldHistory ?? this.#view.monitor.history;
  }

  /** Selects the step at this x, px, and holds the view. */
  point(x: number): void {
    this.#hold();
    this.#select(this.history.indexAt(msAt(this.#scene(), x)));
  }

  /** Moves the selection by whole steps, from the latest one. */
  move(by: number): void {
    this.#hold();
    const latest = this.history.indexAt(this.#heldNowMs);
    const from = this.#selected ? this.history.steps.indexOf(this.#selected) : latest + 1;
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
    if (frozen && !this.#frozen) {
      this.#heldNowMs = this.history.nowMs() - DELAY_MS;
      this.#heldHistory = this.history.copy();
    }
    if (!frozen) this.#heldHistory = undefined;
    this.#dirty = true;
  }

  get #frozen(): boolean {
    return this.#paused || this.#held;
  }

  #select(index: number): void {
    const step = this.history.steps[index];
    this.#selected = step;
    this.#dirty = true;
    const { history } = this;
    this.#onSelect(
      step && { step, history, x: xAt(this.#scene(), (step.startMs + step.endMs) / 2) },
    );
  }

  #resize(): void {
    this.#width = this.#canvas.getBoundingClientRect().width;
    this.#pixelRatio = devicePixelRatio;
    this.#canvas.width = Math.round(this.#width * this.#pixelRatio);
    this.#canvas.height = Math.round(this.#layout.height * this.#pixelRatio);
    this.#dirty = true;
    this.#draw();
  }

  #draw(): void {
    if (!this.#visible || this.#width === 0) return;
    if (this.#pixelRatio !== devicePixelRatio) {
      this.#resize(); // the page was zoomed, or is on another screen
      return;
    }
    const now = performance.now();
    const { version, live } = this.history;
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
      history: this.history,
      layout: this.#layout,
      apps: this.#view.roster.all,
      palette: this.#view.palette,
      width: this.#width,
      pixelRatio: this.#pixelRatio,
      nowMs: this.#frozen ? this.#heldNowMs : this.history.nowMs() - DELAY_MS,
      pastMs: this.#pastMs,
      futureMs: Math.max(this.#pastMs * 0.16, (96 / Math.max(1, this.#width - 96)) * this.#pastMs),
      headHeight: this.#headHeight,
      selected: this.#selected,
      font: this.#view.font,
    };
  }
}
