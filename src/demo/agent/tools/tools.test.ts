import { describe, expect, it } from 'vitest';
import { runTool } from './index';

const run = (name: string, args: unknown) => runTool(name, JSON.stringify(args));

describe('the agent’s tools', () => {
  it('calculate', async () => {
    expect(await run('calculator', { expression: '12 * (3 * 64.5 + 18)' })).toMatchObject({
      ok: true,
      result: 2538,
    });
    expect(await run('calculator', { expression: '0.1 + 0.2' })).toMatchObject({ result: 0.3 });
    expect(await run('calculator', { expression: '500000000001 + 500000000001' })).toMatchObject({
      result: 1_000_000_000_002,
    });
    for (const [expression, result] of [
      ['170!', 7.257415615308e306],
      ['2^1000 / 2^998', 4],
      ['1e308', 1e308],
      ['-(1e-305)', -1e-305],
      ['sqrt(2^1000) / 2^500', 1],
    ]) {
      expect(await run('calculator', { expression })).toMatchObject({ result });
    }
    expect(await run('calculator', { expression: '1:999999999999' })).toMatchObject({
      ok: false,
      result: expect.stringMatching(/"1:999999999999" cannot be calculated\. .+\.$/),
    });
    expect((await run('calculator', { expression: '1 / 0' })).ok).toBe(false);
    expect((await run('calculator', { expression: 'import({})' })).ok).toBe(false);
  });

  it('convert units of one kind, and no others', async () => {
    expect(await run('convert_units', { value: 23, from: 'kg', to: 'lb' })).toMatchObject({
      result: 50.7063,
    });
    expect((await run('convert_units', { value: 1, from: 'kg', to: 'km' })).result).toMatch(
      /different things/,
    );
  });

  it('count days over month ends and leap years', async () => {
    expect(await run('add_days', { date: '2028-02-28', days: 2 })).toMatchObject({
      result: { date: '2028-03-01', weekday: 'Wednesday' },
    });
    expect(await run('days_between', { from: '2026-01-01', to: '2027-01-01' })).toMatchObject({
      result: 365,
    });
    expect((await run('add_days', { date: '2026-02-30', days: 1 })).result).toMatch(/no day/);
  });

  it('search the handbook', async () => {
    expect(await run('search_handbook', { query: 'luggage allowance' })).toMatchObject({
      result: [{ title: 'Luggage allowance' }],
    });
  });

  it('say what is wrong with a call', async () => {
    const outcome = await run('add_days', { date: 'tomorrow', days: 1.5 });
    expect(outcome.ok).toBe(false);
    expect(outcome.result).toMatch(/arguments\/date must match pattern/);
    expect(outcome.result).toMatch(/arguments\/days must be integer/);
    expect((await runTool('calculator', '{')).result).toMatch(/not valid JSON/);
    expect((await run('teleport', {})).result).toMatch(/no tool "teleport"/);
  });

  it.each([
    '1:1e9',
    'zeros(1e5, 1e5)',
    'range(1, 1e9)',
    'f(x) = f(x + 1); f(1)',
    'a = 5',
    'combinations(1e9, 5e8)',
    'factorial(1e9)',
    'isPrime(9007199254740881)',
    '[1, 2, 3]',
    '"a"',
    'sum(1:1e8)',
    'evaluate("1:1e9")',
    'cos.constructor("return 1")()',
    '('.repeat(1e6),
    '9^'.repeat(1e5),
    `1${'!'.repeat(1e4)}`,
    '1e400',
    '170!!!!',
    'x',
    '2 > 1 ? 1 : 2',
  ])('refuse %.30s at once', async (expression) => {
    const { ok, durationMs } = await run('calculator', { expression });
    expect(ok).toBe(false);
    expect(durationMs).toBeLessThan(500);
  });
});
