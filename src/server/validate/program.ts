import { validateDeadline } from '../../scheduler';
import { plain } from '../plain';
import type { ProgramStart } from '../server-types';
import { alone, label, object, type Reader } from './fields';
import { id } from './submission';

const deadline: Reader<number> = (value) => {
  validateDeadline(value);
  return value;
};

const PROGRAM = object({ id, app: label, kind: label, deadline }, ['id', 'app']);

/** Throws a typed error that names the field. */
export function readProgram(given: ProgramStart) {
  const { deadline: ms, ...program } = alone(PROGRAM, plain(given, ''));
  validateDeadline(ms); // that there is one
  return { ...program, deadline: ms };
}
