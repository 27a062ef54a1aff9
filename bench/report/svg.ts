/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A linear map from numbers to coordinates. */
export class Scale {
  readonly #from: readonly [number, number];
  readonly #to: readonly [number, number];

  constructor(from: readonly [number, number], to: readonly [number, number]) {
    this.#from = from;
    this.#to = to;
  }

  at(value: number): number {
    const [low, high] = this.#from;
    const [start, end] = this.#to;
    const share = high === low ? 0.5 : (value - low) / (high - low);
    return Math.round((start + share * (end - start)) * 10) / 10;
  }
}

/** About `count` round numbers from 0 to at least `max`. */
export function ticksTo(max: number, count = 4): number[] {
  if (!(max > 0)) return [0];
  const rough = max / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = magnitude * ([1, 2, 2.5, 5].find((m) => m * magnitude >= rough) ?? 10);
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, i) => i * step);
}

/** 1.2k, 3.4M. */
export function short(value: number): string {
  for (const [unit, name] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= unit) return `${trim(value / unit)}${name}`;
  }
  return trim(value);
}

export function percent(share: number, decimals = 0): string {
  return `${(100 * share).toFixed(decimals)}%`;
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Moves labels apart so that none is nearer than `gap` to the next; keeps their order. */
export function spread(ys: readonly number[], gap: number, low: number, high: number): number[] {
  const order = ys.map((_, i) => i).sort((a, b) => ys[a] - ys[b]);
  const out = [...ys];
  let floor = low;
  for (const i of order) {
    out[i] = Math.max(out[i], floor);
    floor = out[i] + gap;
  }
  let ceiling = high;
  for (const i of order.reverse()) {
    out[i] = Math.min(out[i], ceiling);
    ceiling = out[i] - gap;
  }
  return out;
}
