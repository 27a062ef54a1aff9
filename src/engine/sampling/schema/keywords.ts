/** Readers of keywords' values, which throw invalid_schema where they are of another kind. */
import { isRecord, type Place } from './document';
import { invalid } from './invalid-schema';

/** Members of a list: more are not meant for a model. */
const MAX_MEMBERS = 20_000;

/** Whether a schema says something by a keyword. */
export function says(place: Place, keyword: string): boolean {
  return Object.hasOwn(place.schema, keyword) && place.schema[keyword] !== undefined;
}

const at = (place: Place, keyword: string) => `${place.path}.${keyword}`;

export function numberOf(place: Place, keyword: string): number | undefined {
  if (!says(place, keyword)) return undefined;
  const value = place.schema[keyword];
  return typeof value === 'number' && Number.isFinite(value)
    ? value
    : invalid(at(place, keyword), 'must be a number');
}

/** A count of characters, items or properties. */
export function countOf(place: Place, keyword: string): number | undefined {
  const count = numberOf(place, keyword);
  return count === undefined || (Number.isInteger(count) && count >= 0)
    ? count
    : invalid(at(place, keyword), 'must be a whole number of 0 or more');
}

export function textOf(place: Place, keyword: string): string | undefined {
  if (!says(place, keyword)) return undefined;
  const value = place.schema[keyword];
  return typeof value === 'string' ? value : invalid(at(place, keyword), 'must be a text');
}

export function listOf(place: Place, keyword: string, of = 'values'): readonly unknown[] {
  const value = place.schema[keyword];
  if (!Array.isArray(value) || value.length === 0) {
    return invalid(at(place, keyword), `must be a list of ${of}, not empty`);
  }
  if (value.length > MAX_MEMBERS) {
    return invalid(at(place, keyword), `has more than ${MAX_MEMBERS} ${of}; make it smaller`);
  }
  return value;
}

/** A list of names; none where the keyword is not there. */
export function namesOf(
  place: Place,
  keyword: string,
  value = place.schema[keyword],
  path = at(place, keyword),
): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return invalid(path, 'must be a list of names');
  value.forEach((name, i) => {
    if (typeof name !== 'string') invalid(`${path}[${i}]`, 'must be a name');
  });
  return value;
}

/** The names of a keyword that maps names to something; none where the keyword is not there. */
export function keysOf(place: Place, keyword: string): readonly string[] {
  if (!says(place, keyword)) return [];
  const value = place.schema[keyword];
  return isRecord(value) ? Object.keys(value) : invalid(at(place, keyword), 'must be an object');
}
