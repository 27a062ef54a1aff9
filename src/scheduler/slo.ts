import { TempoError } from './errors';

/**
 * A service-level objective. Times in ms, measured from the request's arrival.
 * The classes are the paper's (arXiv 2504.20068, section 2): latency-sensitive, throughput-intensive
 * (`deadline`), collective (`program`), and what has no deadline at all.
 */
export type Slo = LatencySlo | DeadlineSlo | ProgramSlo | BestEffortSlo;

/**
 * Token j (from 0) is due at arrival + ttft + j·tbt. (These are type aliases, which other libraries' JSON
 * types take; interfaces they refuse.)
 */
export type LatencySlo = {
  class: 'latency';
  /** Time to first token, ms. */
  ttft: number;
  /** Time between tokens, ms. */
  tbt: number;
};

/** Only the complete answer counts. */
export type DeadlineSlo = {
  class: 'deadline';
  /** Time to last token, ms. */
  ttlt: number;
};

/** A member of a program: the program's own deadline (ms from its start) is what counts. */
export type ProgramSlo = {
  class: 'program';
};

/** No deadline; still makes progress. */
export type BestEffortSlo = {
  class: 'best-effort';
};

export type SloClass = Slo['class'];

export const SLO_CLASSES: readonly SloClass[] = ['latency', 'deadline', 'program', 'best-effort'];

/** Objectives beyond a day are taken for a mistake in units. */
export const MAX_SLO_MS = 24 * 60 * 60 * 1000;

function checkMs(value: unknown, param: string): void {
  if (typeof value !== 'number' || !(value > 0) || value > MAX_SLO_MS) {
    throw new TempoError(
      'invalid_slo',
      `${param} must be a number of milliseconds above 0 and at most ${MAX_SLO_MS} (one day), got ${String(value)}.`,
      { param },
    );
  }
}

/** Throws `invalid_slo` unless `slo` is one of the classes with sane times. */
export function validateSlo(slo: Slo): void {
  switch (slo?.class) {
    case 'latency':
      checkMs(slo.ttft, 'slo.ttft');
      checkMs(slo.tbt, 'slo.tbt');
      return;
    case 'deadline':
      checkMs(slo.ttlt, 'slo.ttlt');
      return;
    case 'program':
    case 'best-effort':
      return;
    default:
      throw new TempoError(
        'invalid_slo',
        `slo.class must be one of ${SLO_CLASSES.join(', ')}, got ${String((slo as Slo | undefined)?.class)}.`,
        { param: 'slo.class' },
      );
  }
}

/** Throws `invalid_slo` unless `ms` can be a program's deadline. */
export function validateDeadline(ms: number): void {
  checkMs(ms, 'deadline');
}
