import { h, Rows, write } from '../dom';
import { spanWords } from '../format';
import type { Monitor } from '../monitor';
import type { Part, View } from '../view';
import { AXIS_HEIGHT, ENGINE_HEIGHT, INLINE_HEAD_HEIGHT, Layout, type Track } from './geometry';
import { stepCard } from './step-card';
import { type Selection, TimelineCanvas } from './timeline-canvas';
import { legend, TimelineTools } from './tools';
import { EngineHead, TrackHead } from './track-head';

/** Narrower than this, px, the heads stand above their lanes. As in the styles. */
const NARROW = 720;

const DESCRIPTION =
  'Steps of the last seconds: who decoded and who read a prompt. Arrow keys select a step, space pauses, plus and minus zoom.';

/** Who had the engine in every step of the last seconds: one track per app, one lane per request. */
export class Timeline implements Part {
  readonly element: HTMLElement;
  readonly #view: View;
  readonly #canvas = h('canvas', {
    part: 'canvas',
    tabindex: 0,
    role: 'img',
    'aria-label': DESCRIPTION,
  });
  readonly #drawing: TimelineCanvas;
  readonly #simulated = h('span', { class: 'simulated-mark', hidden: true }, 'simulated');
  readonly #span = h('p', { class: 'muted timeline-span' });
  readonly #tools: TimelineTools;
  readonly #heads: Rows<Track>;
  readonly #engine: EngineHead;
  readonly #card = h('div', { 'aria-live': 'off' });
  readonly #empty = h('p', { class: 'empty timeline-empty', hidden: true });
  #layout = new Layout([], () => 1);
  #monitor: Monitor;
  #selection: Selection | undefined;
  #size: ResizeObserver | undefined;

  constructor(view: View) {
    this.#view = view;
    this.#monitor = view.monitor;
    this.#drawing = new TimelineCanvas(this.#canvas, view, (selection) => this.#select(selection));
    this.#tools = new TimelineTools(this.#drawing.playhead);
    this.#engine = new EngineHead(view);
    const heads = h('div', { class: 'track-heads' }, this.#engine.element);
    this.#heads = new Rows(heads, (track) => new TrackHead(view, track), this.#engine.element);
    const body = h(
      'div',
      { class: 'timeline-body' },
      heads,
      h('div', { class: 'timeline-view' }, this.#canvas, this.#empty, this.#card),
    );
    body.style.setProperty('--engine-height', `${ENGINE_HEIGHT}px`);
    body.style.setProperty('--axis-height', `${AXIS_HEIGHT}px`);
    this.element = h(
      'section',
      { class: 'timeline', part: 'timeline', 'aria-labelledby': 'timeline-title' },
      this.#head(),
      body,
    );
    this.#listen();
  }

  start(): void {
    this.#drawing.start();
    if (this.#monitor !== this.#view.monitor) {
      this.#monitor = this.#view.monitor;
      this.#tools.pause(false);
    }
    this.#size = new ResizeObserver(([{ contentRect }]) => this.#fit(contentRect.width));
    this.#size.observe(this.element);
  }

  stop(): void {
    this.#size?.disconnect();
    this.#drawing.stop();
  }

  update(): void {
    const { monitor, roster } = this.#view;
    const layout = new Layout(roster.all, (app) => monitor.history.lanesOf(app));
    if (!layout.equals(this.#layout)) this.#drawing.layout = layout;
    this.#layout = layout;
    this.#heads.update(layout.tracks, ({ app }) => app.name);
    this.#engine.update(layout.trackless);
    this.#simulated.hidden = monitor.snapshot?.simulated !== true;
    write(this.#span, `Figures: ${spanWords(monitor)}`);
    const words = this.#drawing.history.spans.length === 0 ? this.#emptyWords() : '';
    write(this.#empty, words);
    this.#empty.hidden = words === '';
  }

  recolor(): void {
    this.#drawing.redraw();
  }

  #head(): HTMLElement {
    return h(
      'header',
      { class: 'timeline-head', part: 'head' },
      h('h2', { id: 'timeline-title' }, 'Timeline'),
      this.#simulated,
      this.#span,
      legend(),
      this.#tools.element,
    );
  }

  #listen(): void {
    const canvas = this.#canvas;
    const point = (event: PointerEvent) => {
      this.#card.ariaLive = 'off';
      this.#drawing.point(event.offsetX);
    };
    canvas.addEventListener('pointermove', point);
    canvas.addEventListener('pointerdown', (event) => {
      // A finger cannot hover: one tap looks closer, the next lets go.
      if (event.pointerType === 'mouse' || this.#selection === undefined) point(event);
      else this.#drawing.release();
    });
    canvas.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse') this.#drawing.release();
    });
    canvas.addEventListener('blur', () => this.#drawing.release());
    canvas.addEventListener('keydown', (event) => this.#onKey(event));
  }

  #onKey(event: KeyboardEvent): void {
    const actions: Record<string, (() => void) | undefined> = {
      ArrowLeft: () => this.#drawing.move(event.shiftKey ? -10 : -1),
      ArrowRight: () => this.#drawing.move(event.shiftKey ? 10 : 1),
      Escape: () => this.#drawing.release(),
      ' ': () => this.#tools.togglePause(),
      '+': () => this.#tools.zoom(-1),
      '-': () => this.#tools.zoom(1),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    this.#card.ariaLive = 'polite';
    action();
  }

  #fit(width: number): void {
    const narrow = width < NARROW;
    this.#drawing.headHeight = narrow ? INLINE_HEAD_HEIGHT : 0;
    this.#tools.fit(narrow);
  }

  #select(selection: Selection | undefined): void {
    this.#selection = selection;
    const cards = selection ? [stepCard(selection, this.#canvas.clientWidth, this.#view)] : [];
    this.#card.replaceChildren(...cards);
  }

  #emptyWords(): string {
    const { state } = this.#view.monitor;
    switch (state?.phase) {
      case undefined:
        return 'Connected to no Tempo.';
      case 'idle':
        return 'No engine is loaded.';
      case 'loading':
        return state.progress.text;
      case 'ready':
        return 'Nothing has run yet.';
      case 'recovering':
        return 'The GPU was lost. The engine is loading again.';
      case 'failed':
        return state.error.message;
    }
  }
}
