import { TempoError } from '../../scheduler';
import { isRecord } from '../validate/fields';

type Schema = Record<string, unknown>;

/** References that lead to references: a schema that is meant has fewer. */
const MAX_REFERENCES = 32;

/** What a function without a schema takes. */
export const ANY_OBJECT: Schema = { type: 'object', additionalProperties: true };

/**
 * The schema, for objects alone: a function's arguments are an object even where its schema says
 * nothing of it, or allows other values too. Throws `invalid_schema` where it allows no object.
 */
export function objectsOnly(schema: Schema, path: string): Schema {
  const narrowed = new Narrowing(schema).narrow(schema, 0);
  if (narrowed !== undefined) return narrowed;
  const param = 'type' in schema ? `${path}.type` : path;
  throw new TempoError('invalid_schema', `${param} must be "object".`, { param });
}

class Narrowing {
  readonly #root: Schema;
  readonly #isOld: boolean;

  constructor(root: Schema) {
    this.#root = root;
    this.#isOld = /\/draft-0[3-7]\//.test(String(root.$schema));
  }

  /** Undefined where no object satisfies it. */
  narrow(schema: unknown, references: number): Schema | undefined {
    if (schema === true) return ANY_OBJECT;
    if (!isRecord(schema)) return undefined;
    const { $ref, type, const: only, enum: choices } = schema;
    if (typeof $ref === 'string') return this.#follow(schema, $ref, references);
    if ('const' in schema) return isRecord(only) ? schema : undefined;
    if (Array.isArray(choices)) {
      const objects = choices.filter(isRecord);
      return objects.length === 0 ? undefined : { ...schema, enum: objects };
    }
    for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
      const branches = schema[keyword];
      if (!Array.isArray(branches)) continue;
      const narrowed = branches.map((branch) => this.narrow(branch, references));
      const isPossible = (branch: Schema | undefined) => branch !== undefined;
      const whole = keyword === 'allOf' ? narrowed.every(isPossible) : narrowed.some(isPossible);
      // All stay in their places: a pointer may lead there.
      return whole
        ? { ...schema, [keyword]: narrowed.map((branch) => branch ?? false) }
        : undefined;
    }
    const types = Array.isArray(type) ? type : [type ?? 'object'];
    return types.includes('object') ? { ...schema, type: 'object' } : undefined;
  }

  /** What it leads to holds besides; where that allows no object, neither does this. */
  #follow(schema: Schema, ref: string, references: number): Schema | undefined {
    const target = this.#target(ref);
    if (target !== undefined && references <= MAX_REFERENCES) {
      if (this.narrow(target, references + 1) === undefined) return undefined;
    }
    const { $ref, ...rest } = schema;
    const narrowed = this.narrow(rest, references);
    if (!this.#isOld) return narrowed && { ...narrowed, $ref };
    // Up to draft 7 nothing counts beside a reference.
    const { allOf } = rest;
    return { ...rest, type: 'object', allOf: [...(Array.isArray(allOf) ? allOf : []), { $ref }] };
  }

  #target(ref: string): Schema | undefined {
    let target: unknown = this.#root;
    for (const part of unescaped(ref).replace(/^#\/?/, '').split('/').filter(Boolean)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof target !== 'object' || target === null || !Object.hasOwn(target, name)) return;
      target = Reflect.get(target, name);
    }
    return isRecord(target) ? target : undefined;
  }
}

function unescaped(ref: string): string {
  try {
    return decodeURIComponent(ref);
  } catch {
    return ref; // a "%" that is meant
  }
}
