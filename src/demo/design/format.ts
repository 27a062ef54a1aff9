/** Numbers as the page says them in its sentences. */

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

/** `812 MB`, `1.1 GB`. */
export function bytes(count: number): string {
  const mega = count / 1e6;
  return mega < 1000 ? `${Math.round(mega)} MB` : `${(mega / 1000).toFixed(1)} GB`;
}
