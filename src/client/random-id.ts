/** Unlike `crypto.randomUUID` it is there in pages without https, too. */
export function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(3)).join('');
}
