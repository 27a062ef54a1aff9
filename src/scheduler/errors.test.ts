import { expect, it, vi } from 'vitest';
import { TempoError } from './errors';

/** The class as another file of the package has it. */
async function another(): Promise<typeof TempoError> {
  vi.resetModules();
  return (await import('./errors')).TempoError;
}

it('an error of another file of the package is known, and stays what it is', async () => {
  const Another = await another();
  expect(Another).not.toBe(TempoError);
  const error = new Another('unknown_model', 'There is no model "abacus".', { param: 'model' });
  expect(error).toBeInstanceOf(TempoError);
  expect(TempoError.from(error)).toBe(error);
});

it('nothing else is known as one', () => {
  class Special extends TempoError {}
  const plain = new TempoError('aborted', 'It was aborted.');
  expect(new Special('aborted', 'It was aborted.')).toBeInstanceOf(Special);
  expect(plain).not.toBeInstanceOf(Special);
  for (const other of [new Error('aborted'), plain.toJSON(), null, undefined, 'aborted']) {
    expect(other).not.toBeInstanceOf(TempoError);
  }
});
