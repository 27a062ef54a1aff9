import { checkApps, type DashboardApps, Roster } from '../../../dashboard/apps';
import { h, Rows, write } from '../../../dashboard/dom';
import { whole } from '../../../dashboard/format';
import { Colors, type Palette } from '../../../dashboard/palette';
import type { Span, StepHistory } from '../../../dashboard/step-history';
import { styleSheets } from '../../../dashboard/styles';
import { Layout, type Sizes, type Track } from '../../../dashboard/timeline/geometry';
import { Playhead } from '../../../dashboard/timeline/playhead';
import { stepCard } from '../../../dashboard/timeline/step-card';
import { type Selection, TimelineCanvas } from '../../../dashboard/timeline/timeline-canvas';
import { legend, TimelineTools } from '../../../dashboard/timeline/tools';
import { monitor } from '../../store/live';
import { useLesson } from '../lesson';
import { stage } from '../stage';
import { type Pair, pairsOf } from '../verdict';
import { DueHandle } from './due-handle';
import { Seam } from './seam';
import { TwinHead } from './twin-head';
import styles from './twins.css?inline';

/** Narrower than this, px, there are no heads beside the lanes, and everything is lower. */
const NARROW = 720;

const WIDE_SIZES: Omit<Sizes, 'axis'> = { track: () => 60, engine: 32 };
const NARROW_SIZES: Omit<Sizes, 'axis'> = { track: () => 32, engine: 22 };
const AXIS = 20;
const PAIRED_EVERY_MS = 200;

const LABELS = {
  a: 'A, what runs live: who decoded and who read a prompt in each step.',
  b: 'B, the same requests replayed: who decoded and who read a prompt in each step.',
};
const KEYS =
  'Arrow keys select a step, up and down a request, Enter looks at it, [ and ] go to the late ones, space pauses, plus and minus zoom.';

/** Both timelines, and what joins them: one axis, one cursor, one pause. What stands over each is slotted. */
export class Twins extends HTMLElement {
  readonly roster = new Roster();
  readonly #colors: Colors;
  readonly #playhead = new Playhead(() => stage.shownMs());
  readonly #seam = new Seam();
  readonly #sides: readonly Side[];
  readonly tools = new TimelineTools(this.#playhead);
  readonly #seamWords = h('p', { class: 'seam-words muted' }, 'each line joins one request’s ends');
  #narrow = false;
  #pairs: readonly Pair[] = [];
  #pairedAt = 0;
  #font = '';
  #stops: (() => void)[] = [];

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [...styleSheets(), sheet];
    this.#colors = new Colors(this.roster, () => this.#recolor());
    this.#sides = [
      new Side('a', this, () => monitor.history, this.#playhead),
      new Side('b', this, () => stage.twin, this.#playhead),
    ];
    const [a, b] = this.#sides;
    root.append(
      this.#colors.element,
      h(
        'section',
        { class: 'timeline', 'aria-labelledby': 'timeline-title' },
        this.#head(),
        h('slot', { name: 'a' }),
        a.body,
        h('div', { class: 'seam' }, this.#seamWords, this.#seam.element),
        h('slot', { name: 'b' }),
        b.body,
      ),
    );
  }

  set apps(apps: DashboardApps) {
    this.roster.configure(checkApps(apps));
    this.#recolor();
  }

  get palette(): Palette {
    return this.#colors.palette;
  }

  get font(): string {
    return this.#font;
  }

  connectedCallback(): void {
    const size = new ResizeObserver(([{ contentRect }]) => this.#fit(contentRect.width));
    size.observe(this);
    let frame = 0;
    const onFrame = () => {
      frame = requestAnimationFrame(onFrame);
      this.#drawSeam();
      for (const side of this.#sides) side.followPinned();
    };
    this.#recolor();
    for (const side of this.#sides) side.drawing.start();
    onFrame();
    this.#stops = [
      () => size.disconnect(),
      () => cancelAnimationFrame(frame),
      monitor.subscribe(() => this.#update()),
      useLesson.subscribe((lesson, before) => {
        if (lesson.pinned !== before.pinned) this.#pin(lesson.pinned);
        if (lesson.verdict !== before.verdict) this.#update();
      }),
    ];
    this.#update();
  }

  disconnectedCallback(): void {
    for (const side of this.#sides) side.drawing.stop();
    for (const stop of this.#stops) stop();
  }

  #head(): HTMLElement {
    return h(
      'header',
      { class: 'timeline-head' },
      h('h2', { id: 'timeline-title' }, 'Same requests, same GPU'),
      legend(),
      this.tools.element,
    );
  }

  #fit(width: number): void {
    this.#narrow = width < NARROW;
    this.tools.fit(this.#narrow);
    this.#update();
    this.#seam.resize();
  }

  #update(): void {
    const { roster } = this;
    const sizes = this.#narrow ? NARROW_SIZES : WIDE_SIZES;
    for (const side of this.#sides) {
      const axis = side.name === 'b' ? AXIS : 0;
      // As many as what is shown needed: what stands still does not change.
      const lanes = (app: string) => side.drawing.history.lanesOf(app);
      side.update(new Layout(roster.all, lanes, { ...sizes, axis }));
    }
    const { verdict } = useLesson.getState();
    const ended = this.#pairs.filter(({ a, b }) => a.endMs !== undefined && b.endMs !== undefined);
    const words = `Ends joined: ${ended.length} requests. Of ${verdict?.judged ?? 0} compared, ${verdict?.met.a ?? 0} were in time above and ${verdict?.met.b ?? 0} below.`;
    this.#seam.element.setAttribute('aria-label', words);
  }

  #recolor(): void {
    if (!this.isConnected) return;
    this.#font = getComputedStyle(this).fontFamily;
    this.#colors.renew();
    for (const side of this.#sides) side.drawing.redraw();
  }

  #pin(name: string | undefined): void {
    const [a, b] = this.#sides;
    a.drawing.pinned = name === undefined ? undefined : stage.liveId(name);
    b.drawing.pinned = name;
  }

  #drawSeam(): void {
    const now = performance.now();
    if (now - this.#pairedAt > PAIRED_EVERY_MS && !this.#playhead.frozen) {
      const { a, b } = stage.fates;
      this.#pairs = pairsOf(a, b, this.#playhead.nowMs - 60_000);
      this.#pairedAt = now;
    }
    const { drawing } = this.#sides[0];
    const { palette } = this;
    const { nowMs } = this.#playhead;
    this.#seam.draw(
      { palette, nowMs, xOf: (ms) => drawing.xOf(ms) },
      this.#pairs,
      useLesson.getState().pinned,
    );
  }
}

/** One of the two timelines. */
class Side {
  readonly name: 'a' | 'b';
  readonly body: HTMLElement;
  readonly drawing: TimelineCanvas;
  readonly #twins: Twins;
  readonly #historyOf: () => StepHistory;
  readonly #canvas: HTMLCanvasElement;
  readonly #card = h('div', { 'aria-live': 'off' });
  readonly #handle: DueHandle;
  readonly #heads: Rows<Track>;
  readonly #steps = h('b');
  readonly #engine = h(
    'div',
    { class: 'track-head twin-engine' },
    h('h3', { class: 'track-name' }, 'Engine'),
    h('p', { class: 'engine-figures' }, h('span', {}, this.#steps, ' ms a step')),
  );
  #layout = new Layout([], () => 1);
  #selection: Selection | undefined;
  /** Which request of the selected step is meant. */
  #row = 0;

  constructor(name: 'a' | 'b', twins: Twins, historyOf: () => StepHistory, playhead: Playhead) {
    this.name = name;
    this.#twins = twins;
    this.#historyOf = historyOf;
    this.#canvas = h('canvas', {
      tabindex: 0,
      role: 'img',
      'aria-label': `${LABELS[name]} ${KEYS}`,
      'data-side': name,
    });
    const view = {
      roster: twins.roster,
      get palette() {
        return twins.palette;
      },
      get font() {
        return twins.font;
      },
      monitor: {
        get history() {
          return historyOf();
        },
      },
    };
    this.drawing = new TimelineCanvas(
      this.#canvas,
      view,
      (selection) => this.#select(selection),
      playhead,
    );
    this.#handle = new DueHandle(this.drawing);
    const heads = h('div', { class: 'track-heads' }, this.#engine);
    this.#heads = new Rows(heads, () => this.#newHead(), this.#engine);
    this.body = h(
      'div',
      { class: `timeline-body side-${name}` },
      heads,
      h('div', { class: 'timeline-view' }, this.#canvas, this.#handle.element, this.#card),
    );
    this.#listen();
  }

  get history(): StepHistory {
    return this.#historyOf();
  }

  update(layout: Layout): void {
    if (!layout.equals(this.#layout)) this.drawing.layout = layout;
    this.#layout = layout;
    this.#heads.update(layout.tracks, ({ app }) => app.name);
    this.#engine.style.height = `${layout.engineHeight + layout.axisHeight}px`;
    const { history } = this;
    const stepMs = history.stepMs(history.atMs - 10_000);
    write(this.#steps, stepMs === undefined ? '–' : stepMs.toFixed(1));
  }

  /** With every frame: the handle goes where the request that is looked at is due. */
  followPinned(): void {
    const { pinned } = useLesson.getState();
    const own = pinned === undefined ? undefined : this.#ownId(pinned);
    this.#handle.follow(own === undefined ? undefined : this.drawing.history.span(own));
  }

  #newHead() {
    const head = new TwinHead(this.name);
    return {
      element: head.element,
      update: (track: Track) => {
        const { verdict } = useLesson.getState();
        const slo = monitor.sloOf(track.app.name);
        const best = slo === undefined || slo.class === 'best-effort';
        head.update(track, verdict, best, this.#fact(track.app.name));
      },
    };
  }

  /** Above there are latencies besides. */
  #fact(app: string): string {
    if (this.name === 'b') return '';
    const account = monitor.ledger.current?.account(app);
    const slo = monitor.sloOf(app);
    if (slo?.class === 'latency') {
      return `; TTFT p95 ${whole(account?.ttft.p95)} of ${slo.ttft} ms`;
    }
    return '';
  }

  #listen(): void {
    const canvas = this.#canvas;
    const { drawing } = this;
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons > 0 && event.pointerType === 'mouse') return;
      this.#card.ariaLive = 'off';
      drawing.point(event.offsetX);
    });
    canvas.addEventListener('pointerdown', (event) => {
      const touched = drawing.spanAt(event.offsetX, event.offsetY);
      if (touched !== undefined) this.#pin(touched);
      else if (event.pointerType === 'mouse' || this.#selection === undefined) {
        useLesson.getState().pin(undefined);
        drawing.point(event.offsetX);
      } else drawing.release();
    });
    canvas.addEventListener('pointerleave', (event) => {
      // On the way to the handle the picture stands still, or the handle would be gone.
      if (event.relatedTarget === this.#handle.element) return;
      if (event.pointerType === 'mouse') drawing.release();
    });
    canvas.addEventListener('blur', ({ relatedTarget }) => {
      if (relatedTarget !== this.#handle.element) drawing.release();
    });
    canvas.addEventListener('keydown', (event) => this.#onKey(event));
  }

  #onKey(event: KeyboardEvent): void {
    const { drawing } = this;
    const actions: Record<string, (() => void) | undefined> = {
      ArrowLeft: () => drawing.move(event.shiftKey ? -10 : -1),
      ArrowRight: () => drawing.move(event.shiftKey ? 10 : 1),
      ArrowUp: () => this.#choose(-1),
      ArrowDown: () => this.#choose(1),
      Enter: () => this.#choose(0),
      '[': () => this.#toLate(-1),
      ']': () => this.#toLate(1),
      Escape: () => {
        useLesson.getState().pin(undefined);
        drawing.release();
      },
      ' ': () => this.#twins.tools.togglePause(),
      '+': () => this.#twins.tools.zoom(-1),
      '-': () => this.#twins.tools.zoom(1),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    this.#card.ariaLive = 'polite';
    action();
  }

  /** Looks at one of the requests that the selected step served. */
  #choose(by: number): void {
    if (this.#selection === undefined) this.drawing.move(-1);
    const work = this.#selection?.step.work ?? [];
    if (work.length === 0) return;
    this.#row = (this.#row + by + work.length) % work.length;
    const span = this.drawing.history.span(work[this.#row].requestId);
    if (span !== undefined) this.#pin(span);
  }

  /** Looks at the next request, or the one before, that was late. */
  #toLate(by: 1 | -1): void {
    const late = this.drawing.history.spans.filter((span) => span.late.length > 0);
    const { pinned } = useLesson.getState();
    const own = pinned === undefined ? undefined : this.#ownId(pinned);
    const at = late.findIndex(({ id }) => id === own);
    const next = at < 0 ? late.at(-1) : late[Math.min(late.length - 1, Math.max(0, at + by))];
    if (next !== undefined) this.#pin(next);
  }

  #pin({ id }: Span): void {
    this.#card.replaceChildren();
    const name = this.name === 'a' ? stage.nameOf(id) : id;
    useLesson.getState().pin(name);
  }

  /** What a request is called on this side. */
  #ownId(name: string): string | undefined {
    return this.name === 'a' ? stage.liveId(name) : name;
  }

  #select(selection: Selection | undefined): void {
    this.#selection = selection;
    const { roster } = this.#twins;
    // Who looks at one request has its life beside it.
    const shown = useLesson.getState().pinned === undefined ? selection : undefined;
    const cards = shown ? [stepCard(shown, this.#canvas.clientWidth, { roster })] : [];
    this.#card.replaceChildren(...cards);
  }
}

export function defineTwins(): void {
  if (customElements.get('tempo-twins') === undefined) {
    customElements.define('tempo-twins', Twins);
  }
}
