import type { Slo } from '../../../client';
import type { Span } from '../../../dashboard/step-history';
import type { TimelineCanvas } from '../../../dashboard/timeline/timeline-canvas';
import { isAppName } from '../../design/apps';
import { useLive } from '../../store/live';
import { useLesson } from '../lesson';
import { SCENARIOS } from '../scenarios';

/** How near to the handle one must be, px. */
const NEAR = 10;
const ROUNDED_MS = 50;
const LEAST_MS = 50;

/**
 * Begins to drag the handle where the request that is looked at is due, if the pointer is on it: where it
 * is let go is the app's new objective, above and below. Returns whether it began.
 */
export function dragged(event: PointerEvent, span: Span, drawing: TimelineCanvas): boolean {
  const { firstDueMs, app, startMs } = span;
  const canvas = event.currentTarget;
  if (firstDueMs === undefined || !isAppName(app) || !(canvas instanceof HTMLCanvasElement)) {
    return false;
  }
  if (Math.abs(drawing.xOf(firstDueMs) - event.offsetX) > NEAR) return false;
  const { slos, setSlo } = useLive.getState();
  const before = slos[app];
  if (before.class === 'best-effort') return false;
  canvas.setPointerCapture(event.pointerId);
  const onMove = ({ offsetX }: PointerEvent) => {
    span.firstDueMs = startMs + timeOf(drawing.msOf(offsetX) - startMs);
    drawing.redraw();
  };
  const onUp = ({ offsetX }: PointerEvent) => {
    canvas.removeEventListener('pointermove', onMove);
    canvas.removeEventListener('pointerup', onUp);
    const slo = changed(before, timeOf(drawing.msOf(offsetX) - startMs));
    if (slo !== undefined) void setSlo(app, slo).catch(() => {});
  };
  canvas.addEventListener('pointermove', onMove);
  canvas.addEventListener('pointerup', onUp);
  return true;
}

function timeOf(ms: number): number {
  return Math.max(LEAST_MS, Math.round(ms / ROUNDED_MS) * ROUNDED_MS);
}

function changed(slo: Slo, ms: number): Slo | undefined {
  if (slo.class === 'latency') return { ...slo, ttft: ms };
  const { haste } = SCENARIOS[useLesson.getState().scenario];
  return slo.class === 'deadline' ? { ...slo, ttlt: Math.round(ms / haste) } : undefined;
}
