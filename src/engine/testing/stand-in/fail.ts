export function fail(message: string): never {
  throw new Error(`Check failed: ${message}`);
}
