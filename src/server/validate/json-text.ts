import { TempoError } from '../../scheduler';

/** Parts of a schema: values, lists and objects. More are not meant for a model. */
const MAX_PARTS = 200_000;
/** Characters of it as JSON: what is read in a few ms. */
export const MAX_LENGTH = 524_288;
/** Values within values; a schema within one is two. */
const MAX_DEPTH = 520;

/**
 * A schema as JSON text. Throws `invalid_schema` where it is too large or deep, before any work is done on it: an
 * object that stands in many places is small here and may be endless there.
 */
export function jsonText(schema: unknown, path: string): string {
  let parts = 0;
  let length = 0;
  const open: [value: unknown, depth: number][] = [[schema, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [one, depth] = next;
    if (depth > MAX_DEPTH) {
      const sentence = `${path} is nested more than ${MAX_DEPTH} values deep.`;
      throw new TempoError('invalid_schema', sentence, { param: path });
    }
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
      for (const part of one) open.push([part, depth + 1]);
    } else if (typeof one === 'object' && one !== null) {
      for (const [name, part] of Object.entries(one)) {
        length += name.length;
        open.push([part, depth + 1]);
      }
    }
  }
  return JSON.stringify(schema);
}
