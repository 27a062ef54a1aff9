import { describe, expect, it } from 'vitest';
import { Harness } from './testing/harness';

const SECRET = {
  messages: [{ role: 'user' as const, content: 'The word is swordfish. '.repeat(9) }],
};

/** What `usage` says an app finds computed after another has asked the same. */
async function found(apps: [string, string], config: object) {
  const harness = await new Harness().loaded(config);
  const cached: number[] = [];
  for (const app of apps) {
    const { end } = await harness.ask({ ...SECRET, max_tokens: 3 }, { app });
    if (end.type === 'done') cached.push(end.usage.prompt_tokens_details.cached_tokens);
  }
  return cached;
}

describe('what was computed of a prompt', () => {
  it('is found by the same app again', async () => {
    const [first, second] = await found(['mail', 'mail'], {});
    expect(first).toBe(0);
    expect(second).toBeGreaterThan(20);
  });

  it('is not found by another app, which would learn of the prompt', async () => {
    expect(await found(['mail', 'spy'], {})).toEqual([0, 0]);
    expect(await found(['mail', 'spy'], { sharePrefixes: 'app' })).toEqual([0, 0]);
  });

  it('is found by all where the page says so', async () => {
    const [, second] = await found(['mail', 'spy'], { sharePrefixes: 'all' });
    expect(second).toBeGreaterThan(20);
  });

  it('is shared by all, or within an app: another word is refused', async () => {
    const refused = await new Harness().load({ sharePrefixes: 'some' as never });
    expect(refused).toMatchObject({ ok: false, error: { param: 'sharePrefixes' } });
  });
});
