import type { Explanation, RequestTrace, Snapshot } from '../client';
import { h, put, Rows, tint, write } from './dom';
import { seconds, signed } from './format';
import { Places } from './places';
import { reasonWords, stateWords } from './reasons';
import type { Part, View } from './view';

interface Entry {
  request: RequestTrace;
  /** What the last plan made of it. */
  line: Explanation | undefined;
  snapshot: Snapshot;
  color: string;
}

/** A row of the table, and who is in it. */
interface Place {
  at: number;
  entry: Entry | undefined | '';
}

/** Every live request: what it does, when it is due, and why the last plan ran it or did not. */
export class Queue implements Part {
  readonly element: HTMLElement;
  readonly #view: View;
  readonly #count = document.createTextNode('0');
  readonly #rows: Rows<Place>;
  readonly #places = new Places();
  readonly #empty = h('p', { class: 'empty' }, 'No request is live.');

  constructor(view: View) {
    this.#view = view;
    const table = h('table', { class: 'queue-table' }, h('thead', {}, headRow()));
    this.#rows = new Rows(table, () => new QueueRow());
    this.element = h(
      'section',
      { class: 'panel queue', part: 'queue', 'aria-labelledby': 'queue-title' },
      h(
        'header',
        { class: 'panel-head', part: 'head' },
        h('h2', { id: 'queue-title' }, 'Queue'),
        h('p', { class: 'panel-figure' }, this.#count, ' ', h('span', { class: 'muted' }, 'live')),
        h('p', { class: 'panel-objective' }, 'Filled squares are in the step that runs now'),
      ),
      h(
        'section',
        { class: 'panel-scroll', 'aria-label': 'Live requests', tabindex: 0 },
        table,
        this.#empty,
      ),
    );
  }

  start(): void {}

  stop(): void {}

  update(): void {
    const { monitor, roster } = this.#view;
    const { snapshot } = monitor;
    const { requests = [], plan = [], live } = snapshot ?? {};
    const lines = new Map(plan.map((line) => [line.requestId, line]));
    const entries = requests.flatMap((request) =>
      snapshot === undefined
        ? []
        : [
            {
              request,
              line: lines.get(request.id),
              snapshot,
              color: roster.of(request.app).color,
            },
          ],
    );
    const byId = new Map(entries.map((entry) => [entry.request.id, entry]));
    this.#places.take(entries.map(({ request }) => request.id));
    const places = this.#places.all.map((id, at) => ({ at, entry: id && byId.get(id) }));
    this.#rows.update(places, ({ at }) => String(at));
    write(this.#count, String(live === undefined ? 0 : live.resident + live.waiting));
    this.#empty.hidden = requests.length > 0;
  }

  recolor(): void {}
}

function headRow(): HTMLElement {
  const slack = 'Time to spare after the work still needed';
  return h(
    'tr',
    {},
    h('th', { scope: 'col', class: 'queue-label narrow' }, 'Request'),
    h('th', { scope: 'col', class: 'queue-label' }, 'Doing'),
    h('th', { scope: 'col', class: 'queue-label narrow numeric' }, 'Due in'),
    h('th', { scope: 'col', class: 'queue-label narrow numeric', title: slack }, 'Slack'),
  );
}

/** Two lines for one request. */
class QueueRow {
  readonly element: HTMLElement;
  readonly #stage = document.createTextNode('');
  readonly #doing = h('td');
  readonly #due = h('td', { class: 'numeric' });
  readonly #slack = h('td', { class: 'numeric' });
  readonly #why = h('td', { colspan: 4 });

  constructor() {
    const stage = h('td', {}, h('span', { class: 'swatch' }), ' ', this.#stage);
    this.element = h(
      'tbody',
      {},
      h('tr', { class: 'queue-facts' }, stage, this.#doing, this.#due, this.#slack),
      h('tr', { class: 'queue-why' }, this.#why),
    );
  }

  update({ entry }: Place): void {
    // A place that nobody has stays empty until the next comes: what is read does not move.
    this.element.classList.toggle('vacant', !entry);
    if (entry) this.#show(entry);
    else this.element.removeAttribute('data-app');
  }

  #show({ request, line, snapshot, color }: Entry): void {
    const leftMs = request.dueMs === undefined ? undefined : request.dueMs - snapshot.atMs;
    const slackMs = line?.slackMs;
    put(this.element, 'data-app', request.app);
    tint(this.element, color);
    this.element.classList.toggle('chosen', line?.chosen === true);
    write(this.#stage, request.stage);
    write(this.#doing, stateWords(request));
    write(this.#due, leftMs === undefined ? '–' : seconds(leftMs));
    this.#due.classList.toggle('late', leftMs !== undefined && leftMs < 0);
    const hasSlack = slackMs !== undefined && Number.isFinite(slackMs);
    write(this.#slack, hasSlack ? signed(slackMs) : '–');
    const { policy } = snapshot;
    const why = line ? reasonWords({ policy, line, request, snapshot }) : '';
    write(this.#why, why);
    this.#why.title = why; // it may not fit
  }
}
