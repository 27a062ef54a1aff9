/**
 * Where a conversation has to begin so that it fits, told by the places of its questions: at its start if
 * it can, else at the first question from which it does, and at the last one if not even that fits.
 */
export async function leftOut(
  questions: readonly number[],
  fits: (from: number) => Promise<boolean>,
): Promise<number> {
  if (questions.length < 2 || (await fits(0))) return 0;
  let low = 1;
  let high = questions.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await fits(questions[middle])) high = middle;
    else low = middle + 1;
  }
  return questions[low];
}
