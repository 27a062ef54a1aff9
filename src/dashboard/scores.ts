import { h, Rows, write } from './dom';
import { compact, percent } from './format';
import type { Score } from './scoreboard';
import type { View } from './view';

/** A program's gain comes all at its end: before a few have ended a rate of gain says nothing. */
const GAIN_JUDGED_MS = 20_000;
const TOKENS_JUDGED_MS = 2000;

/** One cell of a row, or the head over it. */
interface Cell {
  key: string;
  text: string;
}

/** What each policy has done so far, app by app. */
export class Scores {
  readonly element: HTMLElement;
  readonly #view: View;
  readonly #heads: Rows<Cell>;
  readonly #rows: Rows<Score>;

  constructor(view: View) {
    this.#view = view;
    const head = h(
      'tr',
      {},
      h('th', { scope: 'col' }, h('span', { class: 'hidden-text' }, 'Policy')),
    );
    this.#heads = new Rows(head, () => cell('th', { scope: 'col' }));
    const body = h('tbody');
    this.#rows = new Rows(body, ({ policy }) => this.#row(policy));
    this.element = h(
      'figure',
      { class: 'figure scores' },
      h(
        'figcaption',
        { class: 'figure-head' },
        h('h3', {}, 'By policy, on this visit'),
        h('span', { class: 'muted' }, 'in time'),
      ),
      h('table', {}, h('thead', {}, head), body),
    );
  }

  update(): void {
    const apps = this.#view.roster.all.map(({ name, label }) => ({
      key: `app ${name}`,
      text: label,
    }));
    const rates = ['Gain/s', 'Tokens/s'].map((text) => ({ key: text, text }));
    this.#heads.update([...apps, ...rates], ({ key }) => key);
    this.#rows.update(this.#view.monitor.scores, ({ policy }) => policy);
  }

  #row(policy: string) {
    const element = h('tr', {}, h('th', { scope: 'row' }, policy));
    const cells = new Rows(element, () => cell('td'));
    return {
      element,
      update: (score: Score) => {
        const { monitor, roster } = this.#view;
        element.classList.toggle('current', monitor.snapshot?.policy === policy);
        const { gain, outputTokens, activeMs, byApp } = score;
        const apps = roster.all.map(({ name }) => ({
          key: `app ${name}`,
          text: percent(share(byApp.get(name))),
        }));
        const rates = [
          { key: 'Gain/s', text: perSecond(gain, activeMs, GAIN_JUDGED_MS) },
          { key: 'Tokens/s', text: perSecond(outputTokens, activeMs, TOKENS_JUDGED_MS) },
        ];
        cells.update([...apps, ...rates], ({ key }) => key);
      },
    };
  }
}

function cell(tag: 'td' | 'th', attributes: { scope?: string } = {}) {
  const element = h(tag, { class: 'numeric', ...attributes });
  return { element, update: ({ text }: Cell) => write(element, text) };
}

function share(counts: { met: number; finished: number } | undefined): number | undefined {
  return counts === undefined || counts.finished === 0 ? undefined : counts.met / counts.finished;
}

function perSecond(count: number, activeMs: number, judgedMs: number): string {
  return activeMs < judgedMs ? '–' : compact((count * 1000) / activeMs);
}
