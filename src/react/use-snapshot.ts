import { useCallback } from 'react';
import { type MetricsSnapshot, type Snapshot, TempoError } from '../client';
import { useTempo } from './provider';
import { useSelected } from './selected';
import { snapshotsOf } from './snapshots';

export interface SnapshotOptions {
  /** Time between two snapshots at least, ms, 16 or more. Default: 250, as numbers can be read. */
  intervalMs?: number | null;
}

const DEFAULT_INTERVAL_MS = 250;
const LEAST_INTERVAL_MS = 16;

/**
 * What a component needs of the nearest Tempo's snapshots: queue, metrics, memory. It renders again only
 * when what `select` returns is another, one level deep. Undefined before the first snapshot, and on a
 * server.
 *
 * ```tsx
 * const waiting = useSnapshot((snapshot) => snapshot?.live.waiting ?? 0);
 * ```
 *
 * Throws `invalid_request` for an interval that is none.
 */
export function useSnapshot<Selection>(
  select: (snapshot: Snapshot | undefined) => Selection,
  options?: SnapshotOptions | null,
): Selection {
  const tempo = useTempo();
  const intervalMs = options?.intervalMs ?? DEFAULT_INTERVAL_MS;
  if (!(Number.isFinite(intervalMs) && intervalMs >= LEAST_INTERVAL_MS)) {
    throw new TempoError(
      'invalid_request',
      `intervalMs must be a number of milliseconds, ${LEAST_INTERVAL_MS} or more, got ${String(intervalMs)}.`,
      { param: 'intervalMs' },
    );
  }
  return useSelected(snapshotsOf(tempo, intervalMs), select);
}

/**
 * `useSnapshot` of the metrics alone: attainment, latencies, gain, in all and per app and class.
 *
 * ```tsx
 * const share = useMetrics((metrics) => metrics?.byApp.chat?.attainment);
 * ```
 */
export function useMetrics<Selection>(
  select: (metrics: MetricsSnapshot | undefined) => Selection,
  options?: SnapshotOptions | null,
): Selection {
  const ofMetrics = useCallback(
    (snapshot: Snapshot | undefined) => select(snapshot?.metrics),
    [select],
  );
  return useSnapshot(typeof select === 'function' ? ofMetrics : select, options);
}
