import type { AppLook } from '../../../dashboard/apps';
import { h, put, tint, write } from '../../../dashboard/dom';
import { percent, whole } from '../../../dashboard/format';
import type { Track } from '../../../dashboard/timeline/geometry';
import type { Verdict } from '../verdict';

/** Below this an app counts as late. */
const GOOD = 0.9;

/** Beside an app's lanes: how many of the compared requests were in time on this side. */
export class TwinHead {
  readonly element: HTMLElement;
  readonly #side: 'a' | 'b';
  readonly #name = document.createTextNode('');
  readonly #value = document.createTextNode('');
  readonly #caption = h('span', { class: 'track-caption' });
  readonly #figure = h('p', { class: 'track-figure' }, this.#value, this.#caption);
  readonly #counts = h('p', { class: 'twin-counts' });

  constructor(side: 'a' | 'b') {
    this.#side = side;
    this.element = h(
      'div',
      { class: 'track-head twin-head' },
      h('h3', { class: 'track-name' }, h('span', { class: 'swatch' }), ' ', this.#name),
      this.#figure,
      this.#counts,
    );
  }

  update({ app, height }: Track, verdict: Verdict | undefined, best: boolean, fact: string): void {
    put(this.element, 'data-app', app.name);
    tint(this.element, app.color);
    this.element.style.height = `${height}px`;
    write(this.#name, app.label);
    if (best) this.#showRate(verdict, fact);
    else this.#showShare(app, verdict, fact);
  }

  #showShare({ name }: AppLook, verdict: Verdict | undefined, fact: string): void {
    const { judged = 0, a = 0, b = 0 } = verdict?.byApp[name] ?? {};
    const met = this.#side === 'a' ? a : b;
    const share = judged === 0 ? undefined : met / judged;
    write(this.#value, percent(share));
    write(this.#caption, 'in time');
    write(this.#counts, `${judged === 0 ? 'none yet' : `${met} of ${judged}`}${fact}`);
    this.#figure.classList.toggle('late', share !== undefined && share < GOOD);
  }

  /** Nothing of best effort can be late; what counts is how much of it gets done. */
  #showRate(verdict: Verdict | undefined, fact: string): void {
    write(this.#value, whole(verdict?.background[this.#side]));
    write(this.#caption, 'tokens/s');
    write(this.#counts, `what is left over${fact}`);
    this.#figure.classList.remove('late');
  }
}
