import type { Slo } from '../../../client';
import { h, put } from '../../../dashboard/dom';
import type { Span } from '../../../dashboard/step-history';
import type { TimelineCanvas } from '../../../dashboard/timeline/timeline-canvas';
import { type AppName, isAppName } from '../../design/apps';
import { useLive } from '../../store/live';
import { useLesson } from '../lesson';
import { SCENARIOS } from '../scenarios';

const STEP_MS = 50;
const LEAST_MS = 50;
const MOST_MS = 60_000;

/**
 * Where the request that is looked at is due, to be dragged, or moved with the arrow keys: that is the
 * app's objective from then on, above and below.
 */
export class DueHandle {
  readonly element = h('div', { class: 'due-handle', role: 'slider', tabindex: 0, hidden: true });
  readonly #drawing: TimelineCanvas;
  #span: Span | undefined;
  /** While it is dragged: ms from arrival. */
  #draggedMs: number | undefined;

  constructor(drawing: TimelineCanvas) {
    this.#drawing = drawing;
    const { element } = this;
    // It stands still as long as somebody is about to take it.
    element.addEventListener('pointerenter', () => this.#drawing.playhead.hold());
    element.addEventListener('pointerleave', ({ relatedTarget }) => {
      const isOnCanvas = relatedTarget instanceof HTMLCanvasElement;
      if (this.#draggedMs === undefined && !isOnCanvas) this.#drawing.release();
    });
    element.addEventListener('focus', () => this.#drawing.playhead.hold());
    element.addEventListener('blur', () => this.#drawing.release());
    element.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      element.setPointerCapture(event.pointerId);
      element.focus(); // what had the focus lets the picture go on
      this.#draggedMs = this.#valueMs;
      this.#drawing.playhead.hold();
    });
    element.addEventListener('pointermove', (event) => {
      if (this.#draggedMs === undefined || this.#span === undefined) return;
      const { left } = this.#view.getBoundingClientRect();
      this.#draggedMs = rounded(this.#drawing.msOf(event.clientX - left) - this.#span.startMs);
      this.#place();
    });
    const end = () => {
      const ms = this.#draggedMs;
      this.#draggedMs = undefined;
      if (ms !== undefined) this.#give(ms);
      this.#drawing.release();
    };
    element.addEventListener('pointerup', end);
    element.addEventListener('pointercancel', () => {
      this.#draggedMs = undefined;
      this.#drawing.release();
    });
    element.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      const valueMs = this.#objectiveMs;
      if (by === undefined || valueMs === undefined) return;
      event.preventDefault();
      this.#give(rounded(valueMs + by * STEP_MS * (event.shiftKey ? 10 : 1)));
    });
  }

  /** Follows the request that is looked at, if it is ever due. */
  follow(span: Span | undefined): void {
    this.#span = span;
    this.#place();
  }

  get #view(): HTMLElement {
    return this.element.parentElement ?? this.element;
  }

  /** When the request is due, ms from its arrival. */
  get #valueMs(): number | undefined {
    const { firstDueMs, startMs } = this.#span ?? {};
    return firstDueMs === undefined || startMs === undefined ? undefined : firstDueMs - startMs;
  }

  get #app(): AppName | undefined {
    const app = this.#span?.app;
    return app !== undefined && isAppName(app) ? app : undefined;
  }

  /** What the app asks for now, ms; undefined for best effort. */
  get #objectiveMs(): number | undefined {
    const app = this.#app;
    const slo = app === undefined ? undefined : useLive.getState().slos[app];
    if (slo?.class === 'latency') return slo.ttft;
    return slo?.class === 'deadline' ? slo.ttlt * haste() : undefined;
  }

  #place(): void {
    const { element } = this;
    const [span, valueMs, objectiveMs] = [this.#span, this.#valueMs, this.#objectiveMs];
    element.hidden = span === undefined || valueMs === undefined || objectiveMs === undefined;
    if (span === undefined || valueMs === undefined || objectiveMs === undefined) return;
    const shownMs = this.#draggedMs ?? valueMs;
    const x = this.#drawing.xOf(span.startMs + shownMs);
    const nowMs = Math.round(this.#draggedMs ?? objectiveMs);
    element.style.transform = `translateX(${Math.round(x)}px)`;
    // What lies outside of the picture is not to be reached in it.
    element.style.visibility = x < 0 || x > this.#view.clientWidth ? 'hidden' : '';
    put(element, 'aria-label', `Objective of the ${span.app}: due after`);
    put(element, 'aria-valuemin', LEAST_MS);
    put(element, 'aria-valuemax', MOST_MS);
    put(element, 'aria-valuenow', nowMs);
    put(element, 'aria-valuetext', `${nowMs} ms`);
    put(element, 'data-value', this.#draggedMs === undefined ? undefined : `${nowMs} ms`);
  }

  #give(ms: number): void {
    const app = this.#app;
    if (app === undefined) return;
    const { slos, setSlo } = useLive.getState();
    const slo = changed(slos[app], ms);
    if (slo !== undefined) void setSlo(app, slo).catch(() => {});
  }
}

function changed(slo: Slo, ms: number): Slo | undefined {
  if (slo.class === 'latency') return { ...slo, ttft: ms };
  return slo.class === 'deadline' ? { ...slo, ttlt: Math.round(ms / haste()) } : undefined;
}

/** What the scenario leaves of an agent's deadline. */
function haste(): number {
  return SCENARIOS[useLesson.getState().scenario].haste;
}

function rounded(ms: number): number {
  return Math.min(MOST_MS, Math.max(LEAST_MS, Math.round(ms / STEP_MS) * STEP_MS));
}
