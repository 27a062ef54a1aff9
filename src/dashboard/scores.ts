import { h, Rows, write } from './dom';
import { percent, whole } from './format';
import type { Reign } from './reign';
import type { View } from './view';

/** One cell of a row, or the head over it. */
interface Cell {
  key: string;
  text: string;
  title?: string;
}

/** What each policy did on this engine in the last 30 s of its latest turn, app by app. */
export class Scores {
  readonly element: HTMLElement;
  readonly #view: View;
  readonly #heads: Rows<Cell>;
  readonly #rows: Rows<Reign>;

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
        h('h3', {}, 'In time'),
        h('span', { class: 'muted' }, 'last 30 s of each policy, on this engine'),
      ),
      h('table', {}, h('thead', {}, head), body),
    );
  }

  update(): void {
    const apps = this.#view.roster.all.map(({ name, label }) => ({
      key: `app ${name}`,
      text: label,
    }));
    this.#heads.update([...apps, { key: 'rate', text: 'Tokens/s' }], ({ key }) => key);
    this.#rows.update(this.#view.monitor.ledger.latest, ({ policy }) => policy);
  }

  #row(policy: string) {
    const element = h('tr', {}, h('th', { scope: 'row' }, policy));
    const cells = new Rows(element, () => cell('td'));
    return {
      element,
      update: (reign: Reign) => {
        const { monitor, roster } = this.#view;
        element.classList.toggle('current', monitor.ledger.current === reign);
        const apps = roster.all.map(({ name }) => {
          const { share, met, judged } = reign.account(name);
          return { key: `app ${name}`, text: percent(share), title: `${met} of ${judged}` };
        });
        const rate = { key: 'rate', text: whole(reign.tokensPerSecond()) };
        cells.update([...apps, rate], ({ key }) => key);
      },
    };
  }
}

function cell(tag: 'td' | 'th', attributes: { scope?: string } = {}) {
  const element = h(tag, { class: 'numeric', ...attributes });
  return {
    element,
    update({ text, title }: Cell) {
      write(element, text);
      if (title !== undefined) element.title = title;
    },
  };
}
