import type { StepTrace } from '../../client';
import type { AppLook } from '../apps';
import { seconds } from '../format';
import type { Palette } from '../palette';
import type { Span, StepHistory } from '../step-history';
import type { LaneBox, Layout } from './geometry';

/** What is drawn, and how it maps to pixels. */
export interface Scene {
  context: CanvasRenderingContext2D;
  history: StepHistory;
  layout: Layout;
  /** All apps, in the order in which a step's are stacked. */
  apps: readonly AppLook[];
  palette: Palette;
  width: number;
  pixelRatio: number;
  /** Server's clock at the line between past and future, ms. */
  nowMs: number;
  pastMs: number;
  futureMs: number;
  headHeight: number;
  /** The step under the pointer. */
  selected: StepTrace | undefined;
  /** The request that is looked at, by its id. */
  pinned: string | undefined;
  font: string;
}

const LABEL_HEIGHT = 11;
/** Lanes lower than this have no room for words. */
const LABELLED_LANE = 18;
/** No bar is higher than this, px. */
const MAX_BAR = 14;
/** Steps closer than this follow one another, ms. */
const GAP_MS = 4;
/** Below this width a step is not told from its neighbour, px. */
const TOLD_APART = 5;

export function xAt(scene: Scene, ms: number): number {
  const { width, nowMs, pastMs, futureMs } = scene;
  return ((ms - nowMs + pastMs) / (pastMs + futureMs)) * width;
}

export function msAt(scene: Scene, x: number): number {
  const { width, nowMs, pastMs, futureMs } = scene;
  return (x / width) * (pastMs + futureMs) + nowMs - pastMs;
}

export function draw(scene: Scene): void {
  const { context, layout, width, pixelRatio } = scene;
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  context.clearRect(0, 0, width, layout.height);
  context.textBaseline = 'middle';
  context.font = `500 11px ${scene.font}`;
  drawGround(scene);
  drawStates(scene);
  drawLate(scene, 1);
  drawSteps(scene);
  drawLate(scene, 0.5);
  drawPinned(scene);
  drawSelection(scene);
  drawMarks(scene);
  drawNow(scene);
  drawWords(scene);
}

/** Lands on whole device pixels, so that neighbours neither overlap nor leave a seam. */
function snap({ pixelRatio }: Scene, x: number): number {
  return Math.round(x * pixelRatio) / pixelRatio;
}

function drawGround(scene: Scene): void {
  const { context, layout, palette, width, pastMs, futureMs, nowMs } = scene;
  const bottom = layout.engineTop + layout.engineHeight;
  const now = snap(scene, xAt(scene, nowMs));
  context.fillStyle = palette.sunken;
  context.globalAlpha = 0.55;
  context.fillRect(now, 0, width - now, bottom);
  context.globalAlpha = 1;
  context.fillStyle = palette.rule;
  for (const { top, height } of layout.tracks) context.fillRect(0, top + height - 1, width, 1);
  context.fillRect(0, bottom - 1, width, 1);

  if (layout.axisHeight === 0) return; // the one below has it
  const every =
    [500, 1000, 2000, 5000].find((ms) => ((pastMs + futureMs) / ms) * 56 < width) ?? 10_000;
  context.textAlign = 'center';
  const axis = bottom + layout.axisHeight / 2 + 1;
  for (let ms = every; ms < pastMs; ms += every) tick(-ms);
  for (let ms = every; ms < futureMs; ms += every) tick(ms);
  context.fillStyle = palette.ink2;
  context.fillText('now', now, axis);

  function tick(ms: number): void {
    const x = snap(scene, xAt(scene, nowMs + ms));
    if (Math.abs(x - now) < 28 || x < 14 || x > width - 14) return;
    context.fillStyle = palette.rule;
    context.fillRect(x, bottom, 1, 3);
    context.fillStyle = palette.ink3;
    const text = `${every < 1000 ? (ms / 1000).toFixed(1) : ms / 1000} s`.replace('-', '−');
    context.fillText(ms > 0 ? `+${text}` : text, x, axis);
  }
}

/** On narrow screens the lanes have room for bars alone. */
function isLabelled(scene: Scene, lane: LaneBox): boolean {
  return scene.headHeight === 0 && lane.height >= LABELLED_LANE;
}

/** Where a span's bar lies in its lane; undefined where its app has no track. */
function barOf(scene: Scene, span: Span): LaneBox | undefined {
  const lane = scene.layout.laneBox(span.app, span.lane, scene.headHeight);
  if (lane === undefined) return undefined;
  const label = isLabelled(scene, lane) ? LABEL_HEIGHT : 0;
  return { top: lane.top + label + 1, height: Math.min(MAX_BAR, lane.height - label - 3) };
}

/** Lines for the time that a request waits, or rests on its pages, and when it is due. */
function drawStates(scene: Scene): void {
  const { context, history, palette, nowMs } = scene;
  for (const span of history.spans) {
    const endMs = Math.min(span.endMs ?? nowMs, nowMs);
    const right = xAt(scene, endMs);
    if (right < 0) continue;
    const bar = barOf(scene, span);
    if (bar === undefined) continue;
    const middle = Math.round(bar.top + bar.height / 2);
    context.fillStyle = palette.app(span.app);
    const { after } = span;
    if (after?.endMs !== undefined && after.lane === span.lane) {
      // Between two calls of a program its tools run.
      const x0 = xAt(scene, after.endMs) + 4;
      const x1 = xAt(scene, span.startMs);
      if (x1 > x0) context.fillRect(x0, middle, x1 - x0, 1);
    }
    for (const [i, { fromMs, state }] of span.states.entries()) {
      if (state === 'decode' || state === 'prefill') continue;
      const untilMs = Math.min(span.states[i + 1]?.fromMs ?? endMs, endMs);
      const x0 = Math.max(-4, xAt(scene, fromMs));
      const x1 = xAt(scene, untilMs);
      if (x1 <= 0 || x1 <= x0) continue;
      // Many that wait are a pattern, not so many lines.
      context.globalAlpha = state === 'paused' || bar.height < 5 ? 0.45 : 0.8;
      if (state === 'paused') context.fillRect(x0, middle - 1, x1 - x0, 2);
      else {
        // Dots that stay where they are in time while the line moves.
        const step = 4;
        const phase = (((xAt(scene, 0) % step) + step) % step) - step;
        const first = phase + Math.ceil((x0 - phase) / step) * step;
        for (let x = first; x < x1; x += step) context.fillRect(x, middle, 2, 1);
      }
    }
    context.globalAlpha = 1;
    const { dueMs } = span;
    if (span.endMs !== undefined || dueMs === undefined) continue;
    const now = xAt(scene, nowMs);
    const due = xAt(scene, dueMs);
    if (due >= now - 2) {
      context.globalAlpha = scene.headHeight === 0 ? 0.5 : 0;
      for (let x = now + 4; x < Math.min(due, scene.width); x += 6)
        context.fillRect(x, middle, 3, 1);
      context.globalAlpha = 1;
      context.fillRect(snap(scene, due) - 1, bar.top, 2, bar.height);
    }
  }
}

/**
 * The time that a request was late, filled, so that the area is the harm done: all of its bar's height
 * where nothing ran, and under the steps that did, `share` of it.
 */
function drawLate(scene: Scene, share: number): void {
  const { context, history, palette, nowMs } = scene;
  context.fillStyle = palette.late;
  for (const span of history.spans) {
    if (span.late.length === 0) continue;
    const bar = barOf(scene, span);
    if (bar === undefined) continue;
    const height = Math.max(1, bar.height * share);
    for (const { fromMs, untilMs = span.endMs ?? nowMs } of span.late) {
      const x0 = Math.max(-1, xAt(scene, fromMs));
      const x1 = Math.min(xAt(scene, untilMs), xAt(scene, nowMs));
      if (x1 > x0) context.fillRect(x0, bar.top + bar.height - height, x1 - x0, height);
    }
  }
}

/** A frame around the request that is looked at. */
function drawPinned(scene: Scene): void {
  const { context, history, palette, pinned, nowMs } = scene;
  const span = pinned === undefined ? undefined : history.span(pinned);
  const bar = span && barOf(scene, span);
  if (span === undefined || bar === undefined) return;
  const x0 = xAt(scene, span.startMs) - 2;
  const x1 = xAt(scene, Math.min(span.endMs ?? nowMs, nowMs)) + 2;
  context.strokeStyle = palette.ink;
  context.lineWidth = 2;
  context.strokeRect(x0, bar.top - 2, Math.max(4, x1 - x0), bar.height + 4);
}

/** One run of steps in which a request did the same. */
interface Run {
  span: Span;
  kind: 'decode' | 'prefill';
  fromMs: number;
  untilMs: number;
  /** It is one step, drawn with a gap to the next. */
  apart: boolean;
}

function drawSteps(scene: Scene): void {
  const { context, history, palette, pastMs, futureMs, nowMs, width } = scene;
  const { steps } = history;
  const pxPerMs = width / (pastMs + futureMs);
  const runs = new Map<Span, Run>();
  const first = Math.max(0, history.indexAt(nowMs - pastMs));
  for (let i = first; i < steps.length && steps[i].startMs < nowMs; i++) {
    const step = steps[i];
    const untilMs = Math.min(step.endMs, nowMs);
    const apart = (step.endMs - step.startMs) * pxPerMs >= TOLD_APART;
    for (const { requestId, kind } of step.work) {
      const span = history.span(requestId);
      if (span === undefined) continue;
      const run = runs.get(span);
      if (run && run.kind === kind && !apart && step.startMs - run.untilMs < GAP_MS) {
        run.untilMs = untilMs;
      } else {
        if (run) drawRun(scene, run);
        runs.set(span, { span, kind, fromMs: step.startMs, untilMs, apart });
      }
    }
    drawBatch(scene, i, untilMs, apart);
    for (const id of step.preempted) {
      const span = history.span(id);
      const bar = span && barOf(scene, span);
      if (bar === undefined) continue;
      const x = xAt(scene, step.startMs);
      context.fillStyle = palette.ink; // red is for what is late alone
      context.beginPath();
      const half = bar.height < 6 ? 2.5 : 4; // low lanes have little room
      context.moveTo(x - half, bar.top - 1);
      context.lineTo(x + half, bar.top - 1);
      context.lineTo(x, bar.top + 1.5 * half);
      context.fill();
    }
  }
  for (const run of runs.values()) drawRun(scene, run);
}

function drawRun(scene: Scene, { span, kind, fromMs, untilMs, apart }: Run): void {
  const { context, palette, pixelRatio } = scene;
  const bar = barOf(scene, span);
  if (bar === undefined) return;
  const x0 = snap(scene, xAt(scene, fromMs));
  const x1 = Math.max(x0 + 1 / pixelRatio, snap(scene, xAt(scene, untilMs)) - (apart ? 1 : 0));
  context.fillStyle = palette.app(span.app);
  if (kind === 'decode') {
    context.fillRect(x0, bar.top, x1 - x0, bar.height);
  } else {
    context.globalAlpha = 0.3;
    context.fillRect(x0, bar.top, x1 - x0, bar.height);
    context.globalAlpha = 1;
    context.fillRect(x0, bar.top, x1 - x0, 1);
    context.fillRect(x0, bar.top + bar.height - 1, x1 - x0, 1);
  }
}

/** The engine's own track: how many sequences each step served, and whose. */
function drawBatch(scene: Scene, index: number, untilMs: number, apart: boolean): void {
  const { context, history, layout, palette, pixelRatio } = scene;
  const step = history.steps[index];
  const x0 = snap(scene, xAt(scene, step.startMs));
  const nextMs = history.steps[index + 1]?.startMs ?? untilMs;
  const gap = apart ? 1 : 0;
  const joined = nextMs - step.endMs < GAP_MS ? Math.min(nextMs, scene.nowMs) : untilMs;
  const x1 = Math.max(x0 + 1 / pixelRatio, snap(scene, xAt(scene, joined)) - gap);
  const unit = (layout.engineHeight - Math.min(13, layout.engineHeight / 4)) / history.maxBatch;
  let bottom = layout.engineTop + layout.engineHeight - 1;
  for (const { name } of scene.apps) {
    let count = 0;
    for (const { app } of step.work) if (app === name) count++;
    if (count === 0) continue;
    const height = count * unit;
    context.fillStyle = palette.app(name);
    context.fillRect(x0, bottom - height, x1 - x0, height);
    bottom -= height;
  }
}

function drawSelection(scene: Scene): void {
  const { context, layout, palette, selected: step } = scene;
  if (step === undefined) return;
  const height = layout.engineTop + layout.engineHeight;
  const x0 = xAt(scene, step.startMs);
  const x1 = Math.max(x0 + 1, xAt(scene, Math.min(step.endMs, scene.nowMs)));
  context.fillStyle = palette.ink;
  context.globalAlpha = 0.12;
  context.fillRect(x0 - 2, 0, x1 - x0 + 4, height);
  context.globalAlpha = 1;
  context.fillRect(snap(scene, (x0 + x1) / 2), 0, 1, height);
}

function drawMarks(scene: Scene): void {
  const { context, history, layout, palette } = scene;
  context.textAlign = 'left';
  for (const { atMs, text } of history.marks) {
    const x = snap(scene, xAt(scene, atMs));
    if (x < -80 || atMs > scene.nowMs) continue;
    context.fillStyle = palette.ink2;
    context.fillRect(x, 0, 1, layout.engineTop + layout.engineHeight);
    const width = context.measureText(text).width + 8;
    context.fillRect(x, layout.engineTop, width, 13);
    context.fillStyle = palette.surface;
    context.fillText(text, x + 4, layout.engineTop + 7);
  }
}

function drawNow(scene: Scene): void {
  const { context, layout, palette } = scene;
  const height = layout.engineTop + layout.engineHeight;
  context.fillStyle = palette.ink;
  context.fillRect(snap(scene, xAt(scene, scene.nowMs)), 0, 1, height);
}

/** Each request's stage at its start, how it ended, and when it is due. */
function drawWords(scene: Scene): void {
  const { context, history, layout, palette, nowMs, width } = scene;
  const now = xAt(scene, nowMs);
  for (const span of history.spans) {
    const lane = layout.laneBox(span.app, span.lane, scene.headHeight);
    const bar = barOf(scene, span);
    if (lane === undefined || bar === undefined) continue;
    const endMs = Math.min(span.endMs ?? nowMs, nowMs);
    const left = Math.max(2, xAt(scene, span.startMs));
    const right = xAt(scene, endMs);
    if (right < 0 || left > now) continue;
    const middle = bar.top + bar.height / 2;
    const labelled = isLabelled(scene, lane);
    if (labelled) {
      const y = lane.top + LABEL_HEIGHT / 2;
      const text = span.met === false ? `${span.stage} · late` : span.stage;
      context.textAlign = 'left';
      context.fillStyle = span.met === false ? palette.late : palette.ink2;
      if (context.measureText(text).width < right - left) context.fillText(text, left, y);
    }
    if (span.endMs !== undefined && span.endMs <= nowMs) {
      drawEnd(scene, span, right, middle);
    } else if (span.dueMs !== undefined && lane.height >= LABEL_HEIGHT + 2) {
      const leftMs = span.dueMs - nowMs;
      context.textAlign = 'left';
      context.fillStyle = leftMs < 0 ? palette.late : palette.ink2;
      const text = leftMs < 0 ? `${seconds(-leftMs)} late` : `due in ${seconds(leftMs)}`;
      if (context.measureText(text).width < width - now - 6) {
        context.fillText(text, now + 6, labelled ? lane.top + LABEL_HEIGHT / 2 : middle);
      }
    }
  }
}

/** A dot for in time, a cross for late. */
function drawEnd({ context, palette }: Scene, span: Span, x: number, y: number): void {
  if (span.met === undefined) return;
  if (span.met) {
    context.fillStyle = palette.surface;
    context.beginPath();
    context.arc(x, y, 4, 0, 7);
    context.fill();
    context.fillStyle = palette.app(span.app);
    context.beginPath();
    context.arc(x, y, 2.5, 0, 7);
    context.fill();
    return;
  }
  context.strokeStyle = palette.late;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - 3, y - 3);
  context.lineTo(x + 3, y + 3);
  context.moveTo(x - 3, y + 3);
  context.lineTo(x + 3, y - 3);
  context.stroke();
}

/** The request whose lane is at this place, if any was there at that time; px. */
export function spanAt(scene: Scene, x: number, y: number): Span | undefined {
  const ms = msAt(scene, x);
  const near = msAt(scene, x + 4) - ms;
  return scene.history.spans.findLast((span) => {
    const lane = scene.layout.laneBox(span.app, span.lane, scene.headHeight);
    if (lane === undefined || y < lane.top - 1 || y > lane.top + lane.height + 1) return false;
    return ms >= span.startMs - near && ms <= (span.endMs ?? scene.nowMs) + near;
  });
}
