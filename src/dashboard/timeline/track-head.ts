import type { Slo } from '../../client';
import type { DashboardFact } from '../apps';
import { h, put, Rows, tint, write } from '../dom';
import { percent, spanWords, whole } from '../format';
import { type Account, WINDOW_MS } from '../reign';
import type { View } from '../view';
import type { Track } from './geometry';

/** Below this an app counts as late. */
const GOOD = 0.9;

/** Beside an app's lanes: how often it was in time of late, and its latencies against its objective. */
export class TrackHead {
  readonly element: HTMLElement;
  readonly #view: View;
  readonly #name = document.createTextNode('');
  readonly #value = document.createTextNode('');
  readonly #caption = h('span', { class: 'track-caption' });
  readonly #figure = h('p', { class: 'track-figure' }, this.#value, this.#caption);
  readonly #facts: Rows<DashboardFact>;

  constructor(view: View, { app }: Track) {
    this.#view = view;
    const facts = h('div', { class: 'track-facts' });
    this.#facts = new Rows(facts, factRow);
    this.element = h(
      'div',
      { class: 'track-head', part: 'track-head', 'data-app': app.name },
      h('h3', { class: 'track-name' }, h('span', { class: 'swatch' }), ' ', this.#name),
      this.#figure,
      facts,
    );
  }

  update({ app, height }: Track): void {
    const { monitor } = this.#view;
    const slo = monitor.sloOf(app.name);
    tint(this.element, app.color);
    this.element.style.height = `${height}px`;
    write(this.#name, app.label);
    if (slo === undefined || slo.class === 'best-effort') this.#showRate(app.name);
    else this.#showAttainment(app.name);
    const account = monitor.ledger.current?.account(app.name);
    const facts = app.facts?.(monitor.snapshot) ?? standardFacts(slo, account);
    this.#facts.update(facts, ({ name }) => name);
  }

  #showAttainment(app: string): void {
    const { monitor } = this.#view;
    const { share, met = 0, judged = 0, unit } = monitor.ledger.current?.account(app) ?? {};
    const late = share !== undefined && share < GOOD;
    const title = `${met} of ${judged} ${unit ?? 'request'}s in time, ${spanWords(monitor)}: those that have ended, and those that are late already`;
    this.#show(percent(share), 'in time', title, late);
  }

  /** Nothing of best effort can be late; what counts is how much of it gets done. */
  #showRate(app: string): void {
    const { monitor } = this.#view;
    const title = `Output tokens per second in which there was work, ${spanWords(monitor)}`;
    this.#show(whole(monitor.ledger.current?.tokensPerSecond(app)), 'tokens/s', title, false);
  }

  #show(value: string, caption: string, title: string, late: boolean): void {
    write(this.#value, value);
    write(this.#caption, caption);
    put(this.#figure, 'title', title);
    this.#figure.classList.toggle('late', late);
  }
}

function factRow({ name }: DashboardFact) {
  const value = h('span', { class: 'fact-value' });
  const target = h('span', { class: 'fact-target' });
  const element = h('p', { class: 'fact' }, h('span', { class: 'fact-name' }, name), value, target);
  return {
    element,
    update(fact: DashboardFact) {
      write(value, fact.value);
      write(target, fact.target ?? '');
    },
  };
}

/** What there is to say of any app, by its objective. */
function standardFacts(slo: Slo | undefined, account: Account | undefined): DashboardFact[] {
  const finished = { name: 'finished', value: String(account?.finished ?? 0) };
  const tbt = { name: 'TBT, p95', value: whole(account?.tbt.p95) };
  switch (slo?.class) {
    case 'latency':
      return [
        { name: 'TTFT, p95', value: whole(account?.ttft.p95), target: `of ${slo.ttft} ms` },
        { ...tbt, target: `of ${slo.tbt} ms` },
      ];
    case 'deadline':
      return [
        { name: 'TTLT, p95', value: whole(account?.ttlt.p95), target: `of ${slo.ttlt} ms` },
        finished,
      ];
    default:
      return [finished, { ...tbt, target: 'ms' }];
  }
}

/** Beside the engine's own track. */
export class EngineHead {
  readonly element: HTMLElement;
  readonly #view: View;
  readonly #rate = h('b');
  readonly #step = h('b');
  readonly #more = h('p', { class: 'muted', hidden: true });

  constructor(view: View) {
    this.#view = view;
    this.element = h(
      'div',
      { class: 'track-head engine-head', part: 'track-head' },
      h('h3', { class: 'track-name' }, 'Engine'),
      h(
        'p',
        { class: 'engine-figures' },
        h('span', {}, this.#rate, ' tokens/s'),
        h('span', {}, this.#step, ' ms a step'),
      ),
      this.#more,
    );
  }

  /** `trackless`: apps that have no track of their own. */
  update(trackless: number): void {
    const { history, ledger } = this.#view.monitor;
    const stepMs = history.stepMs(Math.max(ledger.current?.fromMs ?? 0, history.atMs - WINDOW_MS));
    write(this.#rate, whole(ledger.current?.tokensPerSecond()));
    write(this.#step, stepMs === undefined ? '–' : stepMs.toFixed(1));
    this.#more.hidden = trackless === 0;
    write(this.#more, `and ${trackless} more apps`);
  }
}
