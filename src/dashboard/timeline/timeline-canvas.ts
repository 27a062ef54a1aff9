import type { StepTrace } from '../../client';
import type { Span, StepHistory } from '../step-history';
import type { View } from '../view';
import { draw, msAt, type Scene, spanAt, xAt } from './draw';
import { Layout } from './geometry';
import { Playhead } from './playhead';

/** What is under the pointer or the keyboard's cursor. */
export interface Selection {
  step: StepTrace;
  /** What it is part of. */
  history: StepHistory;
  x: number;
}

/** What a timeline is drawn of, and how. */
export interface TimelineView extends Pick<View, 'roster' | 'palette' | 'font'> {
  readonly monitor: { readonly history: StepHistory };
}

/** The view runs this far behind the server's clock, so that what it shows has arrived. */
const DELAY_MS = 140;
/** With reduced motion the view moves on in steps of this, ms. */
const REDUCED_EVERY_MS = 500;
/** With more requests than this, the page's other work is worth more than every frame: every second one, ms. */
const MANY_SPANS = 60;
const MANY_EVERY_MS = 30;

/**
 * Draws the history on a canvas, once a frame and only when there is something new. It stands still
 * while it is paused or somebody looks closer.
 */
export class TimelineCanvas {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #view: TimelineView;
  readonly #playhead: Playhead;
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
  #headHeight = 0;
  /** What there was when the view was stopped: the live history forgets it. */
  #heldHistory: StepHistory | undefined;
  #selected: StepTrace | undefined;
  #pinned: string | undefined;

  constructor(
    canvas: HTMLCanvasElement,
    view: TimelineView,
    onSelect: (selection: Selection | undefined) => void,
    playhead = new Playhead(() => view.monitor.history.nowMs() - DELAY_MS),
  ) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('This browser has no 2D canvas.');
    this.#canvas = canvas;
    this.#context = context;
    this.#view = view;
    this.#onSelect = onSelect;
    this.#playhead = playhead;
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
      this.#playhead.onChange(() => this.#follow()),
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

  get playhead(): Playhead {
    return this.#playhead;
  }

  /** The request that is framed, by its id. */
  set pinned(id: string | undefined) {
    this.#pinned = id;
    this.#dirty = true;
  }

  set headHeight(height: number) {
    this.#headHeight = height;
    this.#dirty = true;
  }

  /** What is drawn: the last minute, or the one before the view was stopped. */
  get history(): StepHistory {
    return this.#heldHistory ?? this.#view.monitor.history;
  }

  /** Selects the step at this x, px, and holds the view. */
  point(x: number): void {
    this.#playhead.hold();
    this.#select(this.history.indexAt(msAt(this.#scene(), x)));
  }

  /** Moves the selection by whole steps, from the latest one. */
  move(by: number): void {
    this.#playhead.hold();
    const latest = this.history.indexAt(this.#playhead.nowMs);
    const from = this.#selected ? this.history.steps.indexOf(this.#selected) : latest + 1;
    this.#select(Math.min(latest, Math.max(0, from + by)));
  }

  /** Lets the view go on. */
  release(): void {
    if (this.#selected !== undefined) this.#select(-1);
    this.#playhead.release();
  }

  /** The request that is drawn at this place, px. */
  spanAt(x: number, y: number): Span | undefined {
    return spanAt(this.#scene(), x, y);
  }

  /** Where a time is, px from the left. */
  xOf(ms: number): number {
    return xAt(this.#scene(), ms);
  }

  /** The time at this x, ms. */
  msOf(x: number): number {
    return msAt(this.#scene(), x);
  }

  #follow(): void {
    const { frozen, cursorMs } = this.#playhead;
    if (!frozen) this.#heldHistory = undefined;
    else this.#heldHistory ??= this.#view.monitor.history.copy();
    // Where another timeline is looked at, this one shows the same time, and says nothing.
    this.#selected =
      cursorMs === undefined ? undefined : this.history.steps[this.history.indexAt(cursorMs)];
    this.#dirty = true;
  }

  #select(index: number): void {
    const step = this.history.steps[index];
    this.#playhead.cursorMs = step && (step.startMs + step.endMs) / 2;
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
      if (this.#playhead.frozen) return;
      if (version === this.#drawnVersion && (!live || this.#reduced.matches)) return;
      const sinceMs = now - this.#drawnAt;
      if (this.#reduced.matches && sinceMs < REDUCED_EVERY_MS) return;
      if (this.history.spans.length > MANY_SPANS && sinceMs < MANY_EVERY_MS) return;
    }
    this.#dirty = false;
    this.#drawnVersion = version;
    this.#drawnAt = now;
    draw(this.#scene());
  }

  #scene(): Scene {
    const { nowMs, pastMs } = this.#playhead;
    return {
      context: this.#context,
      history: this.history,
      layout: this.#layout,
      apps: this.#view.roster.all,
      palette: this.#view.palette,
      width: this.#width,
      pixelRatio: this.#pixelRatio,
      nowMs,
      pastMs,
      futureMs: Math.max(pastMs * 0.16, (96 / Math.max(1, this.#width - 96)) * pastMs),
      headHeight: this.#headHeight,
      selected: this.#selected,
      pinned: this.#pinned,
      font: this.#view.font,
    };
  }
}
