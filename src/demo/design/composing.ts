/**
 * Whether a key belongs to an input method, which takes it to write a character. Safari ends the
 * composition before it tells of the Enter that ended it, and marks that Enter by its old code alone
 * (WebKit bug 165004).
 */
export function isComposing({ isComposing: composing, keyCode }: KeyboardEvent): boolean {
  return composing || keyCode === 229;
}
