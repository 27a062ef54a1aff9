/** What a case came to. */
export interface Result {
  name: string;
  ok: boolean;
  got: unknown;
  expected: unknown;
}

/** Longest that a case may take, ms. */
const LIMIT_MS = 30_000;

const cases: { name: string; expected: unknown; run: () => unknown }[] = [];

/** A case: what `run` gives must be `expected`, as JSON, to the letter. */
export function gives(name: string, expected: unknown, run: () => unknown): void {
  cases.push({ name, expected, run });
}

/** Runs all cases, one after the other. */
export async function report(): Promise<Result[]> {
  const results: Result[] = [];
  for (const { name, expected, run } of cases) {
    let got: unknown;
    try {
      got = await Promise.race([run(), late()]);
    } catch (error) {
      got = error instanceof Error ? `threw ${error.name}: ${error.message}` : error;
    }
    results.push({ name, ok: JSON.stringify(got) === JSON.stringify(expected), got, expected });
  }
  return results;
}

function late(): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing, in 30 s'), LIMIT_MS));
}
