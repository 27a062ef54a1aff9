/** Single requests that are meant to do harm: a typed error at once, and nobody else waits. */
import { describe, expect, it } from 'vitest';
import { createTempo, TempoError } from '../src/client';
import { codeOf, Harness } from '../src/server/testing/harness';
import { COSTLY, MISSHAPEN } from './chaos/attacks';
import { leastBlock } from './chaos/blocks';

const TEXT = 'Nobody is harmed by what others send.';
/** What an error of the caller's own making is called. */
const CALLERS = [
  ...['invalid_request', 'invalid_slo', 'invalid_schema', 'context_length_exceeded'],
  'unknown_model',
];
const randoms = [() => 0, () => 0.5, () => 0.999];

describe('a costly request', () => {
  it.each(Object.entries(COSTLY))('with %s holds nobody up', async (_, attack) => {
    const harness = await new Harness().loaded();
    await harness.submit(attack(() => 0) as object).receipt; // what is compiled is
    for (const random of randoms) {
      const params = attack(random) as object;
      const innocent = harness.ask({ simulate: { content: TEXT } });
      const { receipt, id } = harness.submit({});
      await receipt;
      let outcome: Awaited<typeof receipt> | undefined;
      const block = await leastBlock(async () => {
        outcome = await harness.server.submit({
          id: 'attack',
          app: 'attacker',
          slo: { class: 'best-effort' },
          params: params as never,
        });
        await harness.server.abort('attack');
      }, 50);
      expect(block).toBeLessThan(50);
      if (outcome !== undefined && !outcome.ok) {
        expect(CALLERS).toContain(outcome.error.code);
        expect(outcome.error.message.length).toBeLessThan(2100);
      }
      await harness.server.abort(id);
      expect((await innocent).texts).toEqual([TEXT]);
    }
    await harness.server.dispose();
  });
});

describe('a request that is no request', () => {
  it.each(Object.entries(MISSHAPEN))('(%s) is a typed error of its caller’s', async (_, attack) => {
    const harness = new Harness();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    await tempo.ready;
    const innocent = harness.ask({ simulate: { content: TEXT } });
    const outcome = await harness.submit({}, { params: attack(Math.random) as never }).receipt;
    if (!outcome.ok) expect(CALLERS).toContain(outcome.error.code);
    const text = await harness.submit({}, { kind: 'text', params: attack(Math.random) } as never)
      .receipt;
    expect(text).toMatchObject({ ok: false });
    if (!text.ok) expect(CALLERS).toContain(text.error.code);
    const counted = await harness.server.countTokens(attack(Math.random) as never);
    if (!counted.ok) expect(CALLERS).toContain(counted.error.code);
    const thrown = await tempo
      .app('attacker')
      .chat.completions.create(attack(Math.random) as never)
      .catch((error: unknown) => error);
    if (!outcome.ok) expect(thrown).toBeInstanceOf(TempoError);
    if (thrown instanceof TempoError) expect(CALLERS).toContain(thrown.code);
    expect(codeOf(await innocent)).toBe('done');
    await tempo.dispose();
  });
});
