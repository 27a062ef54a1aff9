/** Longest that a case may take, ms. */
const LIMIT_MS = 30_000;

const cases: { name: string; expected: unknown; run: () => unknown }[] = [];

/** A case: what `run` gives must be `expected`, as JSON, to the letter. */
export function gives(name: string, expected: unknown, run: () => unknown): void {
  cases.push({ name, expected, run });
}

/** Runs all cases, one after the other; resolves to what was wrong, a text each. */
export async function report(): Promise<string[]> {
  const trouble: string[] = [];
  for (const { name, expected, run } of cases) {
    let got: unknown;
    try {
      got = await Promise.race([run(), late()]);
    } catch (error) {
      got = error instanceof Error ? `threw ${error.name}: ${error.message}` : error;
    }
    const [given, wanted] = [got, expected].map((value) => JSON.stringify(value));
    if (given !== wanted) trouble.push(`${name}\n  gives    ${given}\n  expected ${wanted}`);
  }
  return trouble;
}

function late(): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing, in 30 s'), LIMIT_MS));
}
