import { h, write } from '../dom';
import { type Playhead, ZOOMS, type Zoom } from './playhead';

/** What moves a playhead: how far back it reaches, and whether it stands still. */
export class TimelineTools {
  readonly element: HTMLElement;
  readonly #playhead: Playhead;
  readonly #pause = h('button', { type: 'button', class: 'button small pause' }, 'Pause');
  readonly #zooms: ReadonlyMap<Zoom, HTMLInputElement>;
  /** The reader chose it. */
  #zoomed = false;

  constructor(playhead: Playhead) {
    this.#playhead = playhead;
    this.#zooms = new Map(
      ZOOMS.map((ms) => [ms, h('input', { type: 'radio', name: 'zoom', checked: ms === 8000 })]),
    );
    for (const [ms, input] of this.#zooms) {
      input.addEventListener('change', () => this.#zoomTo(ms));
    }
    this.#pause.addEventListener('click', () => this.togglePause());
    const zooms = [...this.#zooms].map(([ms, input]) => h('label', {}, input, `${ms / 1000} s`));
    this.element = h(
      'div',
      { class: 'timeline-tools' },
      h(
        'fieldset',
        { class: 'segments small' },
        h('legend', { class: 'hidden-text' }, 'Seconds shown'),
        ...zooms,
      ),
      this.#pause,
    );
  }

  /** Farther back by so many steps, or nearer. */
  zoom(by: number): void {
    const at = ZOOMS.indexOf(this.#playhead.pastMs) + by;
    this.#zoomTo(ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at))]);
  }

  /** What fits the width, unless the reader chose. */
  fit(narrow: boolean): void {
    if (!this.#zoomed) this.#show(narrow ? 4000 : 8000);
  }

  togglePause(): void {
    this.pause(!this.#playhead.paused);
  }

  pause(paused: boolean): void {
    this.#playhead.paused = paused;
    this.#pause.ariaPressed = String(paused);
    write(this.#pause, paused ? 'Go on' : 'Pause');
  }

  #zoomTo(ms: Zoom): void {
    this.#zoomed = true;
    this.#show(ms);
  }

  #show(ms: Zoom): void {
    this.#playhead.pastMs = ms;
    const input = this.#zooms.get(ms);
    if (input !== undefined) input.checked = true;
  }
}

/** What the lanes' strokes mean. */
export function legend(): HTMLElement {
  const kinds = ['decode', 'prefill', 'paused', 'waiting', 'late'];
  return h(
    'ul',
    { class: 'legend', 'aria-label': 'Legend' },
    ...kinds.map((kind) => h('li', {}, h('span', { class: `key key-${kind}` }), ` ${kind}`)),
  );
}
