/** Numbers as the page shows them: the same width and unit wherever they stand. */

/** `840 ms`, `2.4 s`, `1 min 05 s`. */
export function duration(ms: number): string {
  if (Math.abs(ms) < 1000) return `${Math.round(ms)} ms`;
  if (Math.abs(ms) < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${String(Math.floor((ms % 60_000) / 1000)).padStart(2, '0')} s`;
}

/** `48 s`, `3 min`: as much as one wants to know of a wait. */
export function roughly(ms: number): string {
  return ms < 90_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : `${Math.round(ms / 60_000)} min`;
}

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

/** `812 MB`, `1.1 GB`. */
export function bytes(count: number): string {
  const mega = count / 1e6;
  return mega < 1000 ? `${Math.round(mega)} MB` : `${(mega / 1000).toFixed(1)} GB`;
}

/** Milliseconds alone, for tables whose head names the unit. */
export function ms(value: number | undefined): string {
  return value === undefined ? '–' : String(Math.round(value));
}
