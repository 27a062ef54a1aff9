import { type Slo, TempoError, validateSlo } from '../../scheduler';
import { plain } from '../plain';
import { alone, label, type Reader } from './fields';

export const objective: Reader<Slo> = (value) => {
  validateSlo(value);
  return value;
};

/** An app's objective. Throws a typed error that names the field. */
export function readAppSlo(app: unknown, given: unknown): Slo {
  alone(label, app, 'app');
  const slo = alone(objective, plain(given, 'slo'), 'slo');
  if (slo.class !== 'program') return slo;
  throw new TempoError(
    'invalid_slo',
    'The class program belongs to the calls of a program; give the app another.',
    { param: 'slo.class' },
  );
}
