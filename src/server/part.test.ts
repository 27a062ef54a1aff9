import { describe, expect, it } from 'vitest';
import { part } from './part';

describe('a part that is fetched when it is needed', () => {
  it('is there', async () => {
    expect((await part(() => import('./plain'))).plain).toBeTypeOf('function');
  });

  it('says in words that it could not be fetched, and keeps what the browser said', async () => {
    const cause = new TypeError('Failed to fetch dynamically imported module: https://x/y.js');
    await expect(part(() => Promise.reject(cause))).rejects.toMatchObject({
      code: 'network',
      message: 'A part of Tempo could not be fetched. Look whether you are online, then try again.',
      cause,
    });
  });

  it('leaves other failures as they are', async () => {
    const broken = new SyntaxError('x');
    await expect(part(() => Promise.reject(broken))).rejects.toBe(broken);
  });
});
