import { refuseHalfCharacters } from './half-characters';
import { invalid } from './invalid-schema';

export type Schema = Readonly<Record<string, unknown>>;

/** One schema of a document. */
export interface Place {
  /** From 1, in the order of discovery. */
  readonly id: number;
  readonly schema: Schema;
  /** Where it stands, for errors: `schema.properties.a.anyOf[0]`. */
  readonly path: string;
  readonly resource: Resource;
}

/** A schema with an identifier of its own, and what refers to it without naming it. */
export interface Resource {
  readonly uri: string;
  readonly root: unknown;
  readonly path: string;
  readonly outer: Resource | undefined;
  /** The draft that `$schema` names, by its year or number; undefined where it names none we know. */
  readonly draft: number | undefined;
  readonly anchors: Map<string, Found>;
  readonly dynamicAnchors: Set<string>;
}

/** A value that a reference leads to. */
interface Found {
  readonly value: unknown;
  readonly path: string;
  readonly resource: Resource;
}

/** Schemas in a document: more are not meant to be read by a model. */
const MAX_SCHEMAS = 50_000;
/** Schemas within schemas. */
const MAX_DEPTH = 256;
/** What identifiers are relative to; it is never fetched. */
const NOWHERE = 'schema://document/';

/** Keywords whose values are schemas, lists of schemas, or schemas by name. */
const INNER = [
  ...['additionalProperties', 'additionalItems', 'unevaluatedProperties', 'unevaluatedItems'],
  ...['items', 'contains', 'propertyNames', 'not', 'if', 'then', 'else', 'contentSchema'],
];
const INNER_LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
const INNER_MAPS = [
  ...['properties', 'patternProperties', 'dependentSchemas', 'dependencies'],
  ...['$defs', 'definitions'],
];

/**
 * A JSON schema with all its parts: each is a place, known by its object, so that parts which occur
 * more than once are one. References are resolved within it (RFC 6901 pointers, anchors,
 * identifiers); nothing is fetched.
 */
export class SchemaDocument {
  readonly root: Place | boolean;
  readonly #places = new Map<object, Place>();
  readonly #byId: Place[] = [];
  readonly #resources = new Map<string, Resource>();

  /** Throws invalid_schema where it is too large or too deep, or no schema. */
  constructor(root: unknown, path: string) {
    const resource = this.#resource(root, path, undefined);
    this.#scan(root, path, resource);
    this.root = this.at(root, path, resource);
  }

  get size(): number {
    return this.#byId.length;
  }

  /** The place with an id. */
  place(id: number): Place {
    return this.#byId[id - 1];
  }

  /** The place of a part. Throws invalid_schema where it is no schema. */
  at(schema: unknown, path: string, resource: Resource): Place | boolean {
    if (typeof schema === 'boolean') return schema;
    if (!isRecord(schema)) return invalid(path, 'must be a JSON schema: an object, true or false');
    const known = this.#places.get(schema);
    if (known !== undefined) return known;
    if (this.#byId.length >= MAX_SCHEMAS) {
      return invalid(path, `is one of more than ${MAX_SCHEMAS} schemas; make the schema smaller`);
    }
    const place = { id: this.#byId.length + 1, schema, path, resource };
    this.#places.set(schema, place);
    this.#byId.push(place);
    return place;
  }

  /** The part of a place that a keyword, and a name or number in it, lead to. */
  within(place: Place, keyword: string, key?: string | number): Place | boolean {
    const value = place.schema[keyword];
    if (key === undefined) return this.at(value, `${place.path}.${keyword}`, place.resource);
    const path = `${place.path}.${keyword}${typeof key === 'number' ? `[${key}]` : `.${key}`}`;
    const part = isRecord(value) || Array.isArray(value) ? Reflect.get(value, key) : undefined;
    return this.at(part, path, place.resource);
  }

  /** What a reference leads to. Throws invalid_schema where that is not in this document. */
  resolve(place: Place, keyword: string): Place | boolean {
    const ref = place.schema[keyword];
    const at = `${place.path}.${keyword}`;
    if (typeof ref !== 'string') return invalid(at, 'must be a text');
    const { value, path, resource } = this.#find(place.resource, ref, at);
    return this.at(value, path, resource);
  }

  /** Whether several resources have this dynamic anchor, so that who refers to it matters. */
  isDynamic(anchor: string): boolean {
    const all = [...this.#resources.values()];
    return all.filter(({ dynamicAnchors }) => dynamicAnchors.has(anchor)).length > 1;
  }

  /** Likewise of draft 2019-09's `$recursiveRef`. */
  get isRecursive(): boolean {
    const all = [...this.#resources.values()];
    return (
      all.length > 1 && all.some(({ root }) => isRecord(root) && root.$recursiveAnchor === true)
    );
  }

  #find(from: Resource, ref: string, at: string): Found {
    const hash = ref.indexOf('#');
    const uri = hash < 0 ? ref : ref.slice(0, hash);
    const fragment = hash < 0 ? '' : decoded(ref.slice(hash + 1), at);
    const resource = uri === '' ? from : this.#resources.get(resolved(uri, from.uri));
    if (resource === undefined) {
      return invalid(
        at,
        `points to ${shown(ref)}, which is not in this schema; nothing is fetched`,
      );
    }
    // Older drafts' generators give parts identifiers by which `#/definitions` would be lost.
    for (let one: Resource | undefined = resource; one !== undefined; one = one.outer) {
      const found = this.#findWithin(one, fragment);
      if (found !== undefined) return found;
    }
    return invalid(at, `points to ${shown(ref)}, which is not in this schema`);
  }

  #findWithin(resource: Resource, fragment: string): Found | undefined {
    if (fragment !== '' && !fragment.startsWith('/')) return resource.anchors.get(fragment);
    let { root: value, path } = resource;
    let within = resource;
    for (const part of fragment.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (Array.isArray(value) && /^(0|[1-9]\d*)$/.test(key) && Number(key) < value.length) {
        value = value[Number(key)];
        path += `[${key}]`;
      } else if (isRecord(value) && Object.hasOwn(value, key)) {
        value = value[key];
        path += `.${key}`;
      } else {
        return undefined;
      }
      if (isRecord(value)) within = this.#places.get(value)?.resource ?? within;
    }
    return { value, path, resource: within };
  }

  /** Finds all identifiers and anchors. */
  #scan(root: unknown, rootPath: string, rootResource: Resource): void {
    const open = [{ value: root, path: rootPath, resource: rootResource, depth: 0 }];
    const seen = new Set<object>();
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      const { value, path, depth } = one;
      if (!isRecord(value) || seen.has(value)) continue;
      seen.add(value);
      if (depth > MAX_DEPTH) invalid(path, `is nested more than ${MAX_DEPTH} schemas deep`);
      // Up to draft 7 nothing counts beside a reference.
      const isReference = (one.resource.draft ?? 2020) <= 7 && typeof value.$ref === 'string';
      const isOwn = value !== root && !isReference && identifierOf(value) !== undefined;
      if (!isReference) refuseHalves(value, path);
      const resource = isOwn ? this.#resource(value, path, one.resource) : one.resource;
      this.at(value, path, resource);
      this.#anchor(value, path, resource);
      const visit = (inner: unknown, at: string) =>
        open.push({ value: inner, path: at, resource, depth: depth + 1 });
      // Last in, first out: pushed backwards, so that the first part of two is the one that is named.
      for (const keyword of Object.keys(value).reverse()) {
        const part = value[keyword];
        const at = `${path}.${keyword}`;
        if (Array.isArray(part) && INNER_LISTS.includes(keyword)) {
          for (let i = part.length - 1; i >= 0; i--) visit(part[i], `${at}[${i}]`);
        } else if (isRecord(part) && INNER_MAPS.includes(keyword)) {
          for (const name of Object.keys(part).reverse()) visit(part[name], `${at}.${name}`);
        } else if (INNER.includes(keyword)) {
          visit(part, at);
        }
      }
    }
  }

  #resource(root: unknown, path: string, outer: Resource | undefined): Resource {
    const identifier = isRecord(root) ? identifierOf(root) : undefined;
    const resource: Resource = {
      uri: resolved(identifier ?? '', outer?.uri ?? NOWHERE),
      root,
      path,
      outer,
      draft: (isRecord(root) ? draftOf(root.$schema) : undefined) ?? outer?.draft,
      anchors: new Map(),
      dynamicAnchors: new Set(),
    };
    if (!this.#resources.has(resource.uri)) this.#resources.set(resource.uri, resource);
    return resource;
  }

  #anchor(schema: Schema, path: string, resource: Resource): void {
    const { $anchor, $dynamicAnchor, $id, id } = schema;
    const found = { value: schema, path, resource };
    for (const name of [$anchor, $dynamicAnchor]) {
      if (typeof name === 'string' && !resource.anchors.has(name))
        resource.anchors.set(name, found);
    }
    if (typeof $dynamicAnchor === 'string') resource.dynamicAnchors.add($dynamicAnchor);
    for (const name of [$id, id]) {
      if (typeof name === 'string' && /^#./.test(name)) resource.anchors.set(name.slice(1), found);
    }
  }
}

/** Refuses a schema whose own values and names cannot be written. */
function refuseHalves(schema: Schema, path: string): void {
  for (const keyword of ['const', 'enum', 'required']) {
    refuseHalfCharacters(schema[keyword], `${path}.${keyword}`);
  }
  if (!isRecord(schema.properties)) return;
  for (const name of Object.keys(schema.properties)) {
    refuseHalfCharacters(name, `${path}.properties`);
  }
}

/** The identifier that makes a schema a resource; `id` in draft 4 and where nothing says otherwise. */
function identifierOf({ $id, id, $schema }: Schema): string | undefined {
  const isOld = draftOf($schema) === undefined || draftOf($schema) === 4;
  for (const name of [$id, isOld ? id : undefined]) {
    if (typeof name === 'string' && name !== '' && !name.startsWith('#')) return name;
  }
  return undefined;
}

function draftOf(uri: unknown): number | undefined {
  if (typeof uri !== 'string') return undefined;
  const [, old, recent] =
    /^https?:\/\/json-schema\.org\/(?:draft-0(\d)|draft\/(\d{4})-\d\d)\//.exec(uri) ?? [];
  return old === undefined && recent === undefined ? undefined : Number(old ?? recent);
}

function resolved(uri: string, base: string): string {
  try {
    const { href } = new URL(uri, base);
    return href.replace(/#.*$/, '');
  } catch {
    return uri.replace(/#.*$/, '');
  }
}

function decoded(fragment: string, at: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return invalid(at, 'has a % that is no escape');
  }
}

function shown(ref: string): string {
  return ref.length > 200 ? `${ref.slice(0, 200)}…` : ref;
}

export function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
