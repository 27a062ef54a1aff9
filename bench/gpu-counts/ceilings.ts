import type { CountsRow } from './entry';

/** What a decode step of up to 16 sequences may ask of the GPU. */
const CEILINGS = {
  submissions: 12,
  buffersMade: 4,
  bindGroupsMade: 8,
  /** Calls that wait, each for the whole step. */
  waits: 3,
  /** Weights read, in times of what one row reads: with kernels of our own. */
  weightReads: 1.05,
};

/** What is above its ceiling, as sentences. */
export function aboveCeilings(rows: readonly CountsRow[], ownKernels: boolean): string[] {
  const decodes = rows.filter(({ engine, mode }) => engine === 'tempo' && mode === 'decode');
  const [one] = decodes;
  return decodes.flatMap((row) => {
    const found = {
      submissions: row.submissions,
      buffersMade: row.buffersMade,
      bindGroupsMade: row.bindGroupsMade,
      waits: row.waitsPerToken * row.rows,
      weightReads: ownKernels ? row.weightBytes / one.weightBytes : 0,
    };
    return Object.entries(CEILINGS).flatMap(([name, most]) => {
      const count = found[name as keyof typeof found];
      return count <= most + 1e-9
        ? []
        : `A decode step of ${row.rows}: ${name} ${count}, ${most} at most.`;
    });
  });
}
