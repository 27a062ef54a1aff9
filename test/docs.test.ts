import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

describe('links', () => {
  const folders = ['', 'docs', 'docs/guide'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );

  it.each(files)('of %s lead to files that are there', (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, target]) => target);
    expect(targets.filter((to) => !existsSync(join(root, dirname(file), to)))).toEqual([]);
  });
});

describe('the map of the modules', () => {
  const text = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8');
  const rooms = [
    ...text.matchAll(/\*\*src\/(scheduler|engine|server)\*\*([\s\S]*?)(?=\n\*\*src|$)/g),
  ];

  it.each(rooms.map(([, room, part]) => [room, part]))(
    'of %s names what is there',
    (room, part) => {
      const rows = part.split('\n').flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? []);
      const names = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
      expect(names.length).toBeGreaterThan(5);
      const there = (name: string) =>
        ['', '.ts'].some((end) => existsSync(join(root, 'src', room, `${name}${end}`)));
      const rest = room === 'server' ? names.filter((name) => !REST.has(name)) : names;
      expect(rest.filter((name) => !there(name))).toEqual([]);
    },
  );
});

/** Rooms, in the table that follows the server's. */
const REST = new Set([
  'ai-sdk',
  'prompt-api',
  'react',
  'webllm-api',
  'service-worker',
  'dashboard',
  'lab',
  'demo',
]);
