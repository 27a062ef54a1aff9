import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TempoError, type TempoErrorCode } from '../src/client';

const root = join(import.meta.dirname, '..');

/** The codes, from the type's source: types are gone when tests run. */
function codes(): string[] {
  const source = readFileSync(join(root, 'src/scheduler/errors.ts'), 'utf8');
  const union = /export type TempoErrorCode =([\s\S]*?);/.exec(source)?.[1] ?? '';
  return [...union.matchAll(/'([a-z0-9_]+)'/g)].map(([, code]) => code);
}

describe('the guide on errors', () => {
  const guide = readFileSync(join(root, 'docs/guide/errors.md'), 'utf8');
  const rows = new Map(
    [...guide.matchAll(/^\| `([a-z0-9_]+)` \| (\d+) \|/gm)].map(([, code, status]) => [
      code,
      status,
    ]),
  );

  it.each(codes())('has %s, with its status', (code) => {
    expect(rows.get(code)).toBe(String(new TempoError(code as TempoErrorCode, '').status));
  });

  it('has no others', () => {
    expect([...rows.keys()].sort()).toEqual(codes().sort());
  });
});
