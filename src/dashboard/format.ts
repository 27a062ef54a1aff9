import type { Ledger } from './ledger';
import { WINDOW_MS } from './reign';

/** Numbers as a dashboard shows them: the same width and unit wherever they stand. */

/** `2.4 s`, always in seconds, with a true minus. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).replace('-', '−')} s`;
}

/** `+120 ms`, `−1.2 s`. */
export function signed(ms: number): string {
  const size = Math.abs(ms);
  const text = size < 1000 ? `${Math.round(size)} ms` : `${(size / 1000).toFixed(1)} s`;
  return `${ms < 0 ? '−' : '+'}${text}`;
}

export function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${Math.round(share * 100)}%`;
}

/** `940`, `12.4k`, `1.2M`. */
export function compact(value: number): string {
  if (value < 1000) return String(Math.round(value));
  if (value < 1_000_000) return `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

/** A number without its unit, which the head of its table names. */
export function whole(value: number | undefined): string {
  return value === undefined ? '–' : String(Math.round(value));
}

/** What the figures are of: `last 30 s under tempo`. */
export function spanWords({ ledger }: { ledger: Ledger }): string {
  const { current } = ledger;
  const span = `last ${WINDOW_MS / 1000} s`;
  return current === undefined ? span : `${span} under ${current.policy}`;
}
