import { TempoError } from '../../scheduler';

/** Parts of a schema: values, lists and objects. More are not meant for a model. */
const MAX_PARTS = 200_000;
/** Characters of it as JSON. */
const MAX_LENGTH = 2_000_000;

/**
 * A schema as JSON text. Throws `invalid_schema` where it is too large, before any work is done on it: an
 * object that stands in many places is small here and may be endless there.
 */
export function jsonText(schema: unknown, path: string): string {
  let parts = 0;
  let length = 0;
  const open: unknown[] = [schema];
  for (let one = open.pop(); one !== undefined || open.length > 0; one = open.pop()) {
    if (++parts > MAX_PARTS || length > MAX_LENGTH) {
      throw new TempoError(
        'invalid_schema',
        `${path} is too large: as JSON it has more than ${MAX_PARTS} parts or ${MAX_LENGTH} characters.`,
        { param: path },
      );
    }
    if (typeof one === 'string') {
      length += one.length;
    } else if (Array.isArray(one)) {
      for (const part of one) open.push(part);
    } else if (typeof one === 'object' && one !== null) {
      for (const [name, part] of Object.entries(one)) {
        length += name.length;
        open.push(part);
      }
    }
  }
  return JSON.stringify(schema);
}
