/** Checks by their names, which say what holds. */
export type Checks = Record<string, () => Promise<void>>;

/** Throws unless both come to the same JSON. */
export function equal(actual: unknown, expected: unknown): void {
  const [got, wanted] = [actual, expected].map((value) => JSON.stringify(sorted(value)));
  if (got !== wanted) throw new Error(`got ${got}, not ${wanted}`);
}

/** Throws unless `actual` has all that `expected` has. */
export function matches(actual: unknown, expected: object): void {
  for (const [name, wanted] of Object.entries(expected)) {
    const got = isObject(actual) ? actual[name] : undefined;
    if (isObject(wanted)) matches(got, wanted);
    else equal({ [name]: got }, { [name]: wanted });
  }
}

export function ok(holds: unknown, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** What a promise rejects with. Throws where it does not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (thrown) {
    return thrown;
  }
  throw new Error(`nothing was thrown, but there is ${JSON.stringify(value)}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
