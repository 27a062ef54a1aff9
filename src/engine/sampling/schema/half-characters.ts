import { invalid } from './invalid-schema';
import { isWellFormed } from './texts';

/**
 * Throws invalid_schema, with the path, where a value has half a surrogate pair in one of its texts or
 * names: it has no spelling in UTF-8, so that no model can write it.
 */
export function refuseHalfCharacters(value: unknown, path: string): void {
  const open: { value: object; path: string }[] = [];
  const look = (part: unknown, at: () => string) => {
    if (typeof part === 'string' && !isWellFormed(part)) {
      const half = JSON.stringify(part).slice(0, 60);
      invalid(at(), `holds ${half}, half a character, which cannot be written`);
    }
    if (typeof part === 'object' && part !== null) open.push({ value: part, path: at() });
  };
  look(value, () => path);
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const { value, path } = one;
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) look(value[i], () => `${path}[${i}]`);
      continue;
    }
    for (const [name, part] of Object.entries(value)) {
      look(name, () => path);
      look(part, () => `${path}.${name}`);
    }
  }
}
