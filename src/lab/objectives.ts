import { SLO_CLASSES, type Slo, type SloClass, TempoError } from '../scheduler';

/** The objective that a workload's requests are given multiples of, ms. */
export interface BaseSlo {
  ttft: number;
  tbt: number;
  ttlt: number;
}

/** The published artifact's: 1 s to the first token, 0.1 s between tokens, 10 s to the last. */
export const PAPER_SLO: BaseSlo = { ttft: 1000, tbt: 100, ttlt: 10_000 };

/** Shares of the four classes, in the order latency, deadline, program, best-effort. */
export type Mix = readonly [number, number, number, number];

export const EQUAL_THIRDS: Mix = [1, 1, 1, 0];

/** The class that `u`, uniform in [0, 1), falls to. */
export function classAt(mix: Mix, u: number): SloClass {
  let left = u * mix.reduce((a, b) => a + b, 0);
  for (let i = 0; i < mix.length; i++) {
    if (left < mix[i]) return SLO_CLASSES[i];
    left -= mix[i];
  }
  return SLO_CLASSES[mix.findIndex((share) => share > 0)];
}

/** A single request's objective: the base, `scale` times. A program's deadline is not among them. */
export function sloOf(
  name: Exclude<SloClass, 'program'>,
  { ttft, tbt, ttlt }: BaseSlo,
  scale: number,
): Slo {
  switch (name) {
    case 'latency':
      return { class: name, ttft: ttft * scale, tbt: tbt * scale };
    case 'deadline':
      return { class: name, ttlt: ttlt * scale };
    case 'best-effort':
      return { class: name };
  }
}

/** Reads `L:D:P:B`. Throws `invalid_request`. */
export function parseMix(text: string): Mix {
  const parts = text.split(':').map(Number);
  const [l, d, p, b] = parts;
  if (parts.length !== 4 || !parts.every((share) => share >= 0) || l + d + p + b <= 0) {
    throw new TempoError(
      'invalid_request',
      `A mix is four shares, latency:deadline:program:best-effort, as in 1:1:1:0; got "${text}".`,
      { param: 'mix' },
    );
  }
  return [l, d, p, b];
}

/** Reads `TTFT,TBT,TTLT` in seconds. Throws `invalid_slo`. */
export function parseSlo(text: string): BaseSlo {
  const parts = text.split(',').map((part) => Number(part) * 1000);
  const [ttft, tbt, ttlt] = parts;
  if (parts.length !== 3 || !parts.every((ms) => ms > 0 && Number.isFinite(ms))) {
    throw new TempoError(
      'invalid_slo',
      `An objective is three times in seconds, TTFT,TBT,TTLT, as in 1,0.1,10; got "${text}".`,
      { param: 'slo' },
    );
  }
  return { ttft, tbt, ttlt };
}
