import { h } from '../../../dashboard/dom';
import type { Palette } from '../../../dashboard/palette';
import type { Pair } from '../verdict';

/** Where times lie, and in which colours. */
interface SeamView {
  readonly palette: Palette;
  xOf(ms: number): number;
  readonly nowMs: number;
}

const HEIGHT = 30;
const TICK = 5;

/** Between the timelines: a line from where a request ended above to where the same one ended below. */
export class Seam {
  readonly element = h('canvas', { class: 'seam-canvas', role: 'img' });
  readonly #context: CanvasRenderingContext2D;
  #width = 0;
  #ratio = 1;

  constructor() {
    const context = this.element.getContext('2d');
    if (context === null) throw new Error('This browser has no 2D canvas.');
    this.#context = context;
    this.element.style.height = `${HEIGHT}px`;
  }

  resize(): void {
    this.#width = this.element.getBoundingClientRect().width;
    this.#ratio = devicePixelRatio;
    this.element.width = Math.round(this.#width * this.#ratio);
    this.element.height = Math.round(HEIGHT * this.#ratio);
  }

  draw(
    { palette, xOf, nowMs }: SeamView,
    pairs: readonly Pair[],
    pinned: string | undefined,
  ): void {
    const context = this.#context;
    if (this.#ratio !== devicePixelRatio) this.resize();
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, this.#width, HEIGHT);
    for (const { id, app, a, b } of pairs) {
      if (a.endMs === undefined || b.endMs === undefined) continue;
      if (a.endMs > nowMs || b.endMs > nowMs) continue;
      const [x0, x1] = [xOf(a.endMs), xOf(b.endMs)];
      if (Math.max(x0, x1) < 0) continue;
      const isPinned = pinned !== undefined && (pinned === id || pinned.startsWith(`${id}.`));
      context.lineWidth = isPinned ? 2 : 1;
      context.strokeStyle = isPinned ? palette.ink : palette.app(app);
      context.globalAlpha = isPinned ? 1 : 0.55;
      context.beginPath();
      context.moveTo(x0, TICK);
      context.lineTo(x1, HEIGHT - TICK);
      context.stroke();
      context.globalAlpha = 1;
      for (const [x, y, met] of [
        [x0, 0, a.met],
        [x1, HEIGHT - TICK, b.met],
      ] as const) {
        context.fillStyle = met ? palette.app(app) : palette.late;
        // In time is a thin tick, late a thick one.
        context.fillRect(x - (met ? 1 : 2), y, met ? 2 : 4, TICK);
      }
    }
    context.fillStyle = palette.ink;
    context.fillRect(Math.round(xOf(nowMs)), 0, 1, HEIGHT);
  }
}
