import { TempoError } from '../../../scheduler';

/** Throws invalid_schema. `path` names the place, `sentence` completes "<path> …" without a full stop. */
export function invalid(path: string, sentence: string, cause?: unknown): never {
  throw new TempoError('invalid_schema', `${path} ${sentence}.`, { param: path, cause });
}
