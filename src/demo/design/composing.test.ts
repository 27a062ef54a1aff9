import { expect, it } from 'vitest';
import { isComposing } from './composing';

const key = (init: { isComposing: boolean; keyCode: number }) => isComposing(init as KeyboardEvent);

it('a key of an input method is told from the reader’s own, in Safari too', () => {
  expect(key({ isComposing: true, keyCode: 13 })).toBe(true);
  expect(key({ isComposing: false, keyCode: 229 })).toBe(true);
  expect(key({ isComposing: false, keyCode: 13 })).toBe(false);
});
