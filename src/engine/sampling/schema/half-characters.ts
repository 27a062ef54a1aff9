import { invalid } from './invalid-schema';
import { isWellFormed } from './texts';

/**
 * Throws invalid_schema, with the path, where a value has half a surrogate pair in one of its texts or
 * names: it has no spelling in UTF-8, so that no model can write it.
 */
export function refuseHalfCharacters(value: unknown, path: string): void {
  const open = [{ value, path }];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const { value, path } = one;
    if (typeof value === 'string' && !isWellFormed(value)) {
      invalid(
        path,
        `holds ${JSON.stringify(value).slice(0, 60)}, half a character, which cannot be written`,
      );
    }
    if (typeof value !== 'object' || value === null) continue;
    const isList = Array.isArray(value);
    for (const [key, part] of Object.entries(value)) {
      if (!isList) open.push({ value: key, path });
      if (typeof part === 'number' || typeof part === 'boolean') continue;
      open.push({ value: part, path: isList ? `${path}[${key}]` : `${path}.${key}` });
    }
  }
}
