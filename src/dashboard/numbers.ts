import type { Percentiles } from '../client';
import type { AppLook } from './apps';
import { Chart, type Line } from './chart';
import { h, Rows, tint, write } from './dom';
import { spanWords, whole } from './format';
import { Scores } from './scores';
import type { Point } from './series';
import type { Part, View } from './view';

/** The figures behind the picture: latencies, how each policy did, and the last minute as charts. */
export class Numbers implements Part {
  readonly element: HTMLElement;
  readonly #latencies: Latencies;
  readonly #scores: Scores;
  readonly #charts: readonly ChartFigure[];

  constructor(view: View) {
    this.#latencies = new Latencies(view);
    this.#scores = new Scores(view);
    this.#charts = [tokens(view), pages(view)];
    this.element = h(
      'section',
      { class: 'panel numbers', part: 'numbers', 'aria-labelledby': 'numbers-title' },
      h('h2', { class: 'hidden-text', id: 'numbers-title' }, 'Numbers'),
      this.#latencies.element,
      this.#scores.element,
      ...this.#charts.map(({ element }) => element),
    );
  }

  start(): void {
    for (const { chart } of this.#charts) chart.start();
  }

  stop(): void {
    for (const { chart } of this.#charts) chart.stop();
  }

  update(): void {
    this.#latencies.update();
    this.#scores.update();
    for (const chart of this.#charts) chart.update();
  }

  recolor(): void {
    for (const { chart } of this.#charts) chart.recolor();
  }
}

class Latencies {
  readonly element: HTMLElement;
  readonly #span = document.createTextNode('');
  readonly #view: View;
  readonly #rows: Rows<AppLook>;

  constructor(view: View) {
    this.#view = view;
    const body = h('tbody');
    this.#rows = new Rows(body, ({ name }) => this.#row(name));
    const group = (words: string) =>
      h('th', { scope: 'colgroup', class: 'group', colspan: 3 }, words);
    const kinds = ['p50', 'p95', 'p99'];
    const columns = [...kinds, ...kinds].map((p) => h('th', { scope: 'col', class: 'numeric' }, p));
    this.element = h(
      'figure',
      { class: 'figure latencies' },
      h(
        'figcaption',
        { class: 'figure-head' },
        h('h3', {}, 'Latency'),
        h('span', { class: 'muted' }, 'ms, ', this.#span),
      ),
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, h('span', { class: 'hidden-text' }, 'App')),
            group('first token'),
            group('between tokens'),
          ),
          h('tr', {}, h('td'), ...columns),
        ),
        body,
      ),
    );
  }

  update(): void {
    write(this.#span, spanWords(this.#view.monitor));
    this.#rows.update(this.#view.roster.all, ({ name }) => name);
  }

  #row(name: string) {
    const label = document.createTextNode('');
    const cells = Array.from({ length: 6 }, () => h('td', { class: 'numeric' }));
    const element = h(
      'tr',
      { 'data-app': name },
      h('th', { scope: 'row' }, h('span', { class: 'swatch' }), ' ', label),
      ...cells,
    );
    return {
      element,
      update: (app: AppLook) => {
        const account = this.#view.monitor.ledger.current?.account(name);
        tint(element, app.color);
        write(label, app.label);
        const values = [...percentiles(account?.ttft), ...percentiles(account?.tbt)];
        for (const [i, value] of values.entries()) write(cells[i], whole(value));
      },
    };
  }
}

function percentiles(of: Percentiles | undefined): (number | undefined)[] {
  return [of?.p50, of?.p95, of?.p99];
}

interface ChartTexts {
  title: string;
  /** What the title means, on hovering. */
  hint?: string;
  /** What a screen reader says of the chart. */
  label: string;
  /** The value now, and what it is held against. */
  now(view: View): { value: string; of?: string };
}

class ChartFigure {
  readonly element: HTMLElement;
  readonly chart: Chart;
  readonly #view: View;
  readonly #texts: ChartTexts;
  readonly #value = h('b');
  readonly #of = h('span', { class: 'muted' });

  constructor(view: View, texts: ChartTexts, linesOf: () => readonly Line[]) {
    this.#view = view;
    this.#texts = texts;
    this.chart = new Chart(view, texts.label, linesOf);
    this.element = h(
      'figure',
      { class: 'figure' },
      h(
        'figcaption',
        { class: 'figure-head' },
        h('h3', { title: texts.hint }, texts.title),
        h('span', {}, this.#value, this.#of),
      ),
      this.chart.element,
    );
  }

  update(): void {
    const { value, of } = this.#texts.now(this.#view);
    write(this.#value, value);
    write(this.#of, of === undefined ? '' : ` ${of}`);
    this.chart.update();
  }
}

function appLines(view: View, values: (point: Point) => ReadonlyMap<string, number>): Line[] {
  return view.roster.all.map(({ name, label }) => ({
    label,
    color: (palette) => palette.app(name),
    value: (point) => values(point).get(name) ?? 0,
  }));
}

function tokens(view: View): ChartFigure {
  const texts: ChartTexts = {
    title: 'Output tokens per second',
    label: 'Output tokens per second of each app, over the last minute',
    now: ({ monitor }) => ({ value: whole(monitor.snapshot?.tokensPerSecond), of: 'now' }),
  };
  return new ChartFigure(view, texts, () => appLines(view, (point) => point.tokensPerSecond));
}

function pages(view: View): ChartFigure {
  const line: Line = {
    label: 'KV pages in use',
    color: (palette) => palette.ink2,
    value: (point) => point.usedPages,
  };
  const texts: ChartTexts = {
    title: 'KV pages',
    hint: 'A page holds the keys and values of 16 tokens',
    label: 'KV pages in use, over the last minute',
    now({ monitor }) {
      const kv = monitor.snapshot?.kv;
      return kv === undefined
        ? { value: '–' }
        : { value: String(kv.totalPages - kv.freePages), of: `of ${kv.totalPages} now` };
    },
  };
  return new ChartFigure(view, texts, () => [line]);
}
