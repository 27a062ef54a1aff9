import uPlot from 'uplot';
import { h } from './dom';
import { compact } from './format';
import type { Palette } from './palette';
import type { Point } from './series';
import type { View } from './view';

export interface Line {
  label: string;
  color(palette: Palette): string;
  value(point: Point): number;
}

const HEIGHT = 112;
const SPAN_S = 60;

/** The last minute of a few counters, redrawn when there is a new point. */
export class Chart {
  readonly element: HTMLElement;
  readonly #view: View;
  readonly #linesOf: () => readonly Line[];
  #lines: readonly Line[] = [];
  #plot: uPlot | undefined;
  #drawn = -1;
  #size: ResizeObserver | undefined;

  /** `label` is what a screen reader says. `linesOf` may say other lines each time. */
  constructor(view: View, label: string, linesOf: () => readonly Line[]) {
    this.#view = view;
    this.#linesOf = linesOf;
    this.element = h('div', { class: 'chart', role: 'img', 'aria-label': label });
    this.element.style.height = `${HEIGHT}px`;
  }

  start(): void {
    this.#size = new ResizeObserver(() => {
      if (this.#plot === undefined) this.recolor();
      else this.#plot.setSize({ width: this.element.clientWidth, height: HEIGHT });
    });
    this.#size.observe(this.element);
  }

  stop(): void {
    this.#size?.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  update(): void {
    if (this.#plot === undefined) return;
    const lines = this.#linesOf();
    const { version } = this.#view.monitor.series;
    if (lines.map(({ label }) => label).join() !== this.#lines.map(({ label }) => label).join()) {
      this.recolor();
    } else if (version !== this.#drawn) {
      this.#plot.setData(this.#data());
    }
    this.#drawn = version;
  }

  /** A plot's colours are fixed once it is made. */
  recolor(): void {
    this.#plot?.destroy();
    this.#lines = this.#linesOf();
    this.#plot = new uPlot(this.#options(), this.#data(), this.element);
  }

  #data(): uPlot.AlignedData {
    const { points } = this.#view.monitor.series;
    const last = points.at(-1)?.atMs ?? 0;
    return [
      points.map((point) => (point.atMs - last) / 1000),
      ...this.#lines.map((line) => points.map((point) => line.value(point))),
    ];
  }

  #options(): uPlot.Options {
    const { palette, font } = this.#view;
    const axis: uPlot.Axis = {
      font: `10px ${font}`,
      stroke: palette.ink3,
      ticks: { show: false },
      grid: { stroke: palette.rule, width: 1 },
    };
    return {
      width: this.element.clientWidth,
      height: HEIGHT,
      padding: [8, 14, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: false, range: [-SPAN_S, 0] },
        y: { range: (_, min, max) => [Math.min(0, min), Math.max(1, max * 1.08)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 20,
          gap: 4,
          values: (_, splits) => splits.map((s) => (s === 0 ? 'now' : `−${-s} s`)),
        },
        { ...axis, size: 40, gap: 4, values: (_, splits) => splits.map(whole) },
      ],
      series: [
        {},
        ...this.#lines.map(({ label, color }) => ({
          label,
          stroke: color(palette),
          width: 1.5,
          points: { show: false },
        })),
      ],
    };
  }
}

/** Counts have no halves. */
function whole(value: number): string {
  return Number.isInteger(value) ? compact(value) : '';
}
