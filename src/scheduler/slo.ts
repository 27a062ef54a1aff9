import { shown, TempoError } from './errors';

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

/** Times below a millisecond are seconds, taken for milliseconds; those beyond a day the other way round. */
const MIN_SLO_MS = 1;
const MAX_SLO_MS = 24 * 60 * 60 * 1000;

/** What each class says of time, in ms. */
const TIMES: Readonly<Record<SloClass, readonly string[]>> = {
  latency: ['ttft', 'tbt'],
  deadline: ['ttlt'],
  program: [],
  'best-effort': [],
};

function checkMs(value: unknown, param: string): asserts value is number {
  if (typeof value === 'number' && value >= MIN_SLO_MS && value <= MAX_SLO_MS) return;
  throw new TempoError(
    'invalid_slo',
    `${param} must be a number of milliseconds from ${MIN_SLO_MS} to ${MAX_SLO_MS} (one day), got ${shown(value)}.`,
    { param },
  );
}

const isSloClass = (value: unknown): value is SloClass =>
  SLO_CLASSES.some((known) => known === value);

/** Throws `invalid_slo` unless `slo` is one of the classes with sane times, and nothing else. */
export function validateSlo(slo: unknown): asserts slo is Slo {
  const fields = new Map(Object.entries(slo ?? {}));
  const given = fields.get('class');
  if (!isSloClass(given)) {
    throw new TempoError(
      'invalid_slo',
      `slo.class must be one of ${SLO_CLASSES.join(', ')}, got ${shown(given)}.`,
      { param: 'slo.class' },
    );
  }
  const times = TIMES[given];
  for (const name of times) checkMs(fields.get(name), `slo.${name}`);
  for (const [name, value] of fields) {
    if (name === 'class' || times.includes(name) || value === undefined || value === null) continue;
    const known = times.length === 0 ? 'no times' : times.join(' and ');
    throw new TempoError(
      'invalid_slo',
      `slo.${name} is unknown: the class ${given} has ${known}.`,
      {
        param: `slo.${name}`,
      },
    );
  }
}

/** Throws `invalid_slo` unless `ms` can be a program's deadline. */
export function validateDeadline(ms: unknown): asserts ms is number {
  checkMs(ms, 'deadline');
}
