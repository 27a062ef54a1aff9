import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLabArguments } from '../bench/arguments';
import { run as lab } from '../bench/lab';
import { run as report } from '../bench/report';
import { POLICY_NAMES, TempoError } from '../src/scheduler';
import { hearCommands } from './heard-commands';

const KEYS = [
  'workload',
  'load',
  'seed',
  'policy',
  'gain',
  'bound',
  'tokenGoodput',
  'requestGoodput',
  'attainment',
  'ttft',
  'tbt',
  'ttlt',
  'qoe',
  'preemptions',
  'coverage',
  'wallMs',
];

const { said, folder } = hearCommands();

const small = '--requests 60 --load 1,2 --threads 2'.split(' ');

describe('the lab command', { timeout: 60_000 }, () => {
  it('prints a table and writes every run, with the same figures for the same seed', async () => {
    const [json, again] = [join(folder(), 'a.json'), join(folder(), 'b.json')];
    await lab([...small, '--policies', 'fcfs,tempo', '--json', json]);
    expect(said.join('\n')).toMatch(/paper, load 2, seed 1: bound [\d,]+\npolicy +gain +of bound/);
    await lab([...small, '--policies', 'fcfs,tempo', '--json', again]);

    const { runs } = JSON.parse(readFileSync(json, 'utf8'));
    expect(runs).toHaveLength(4);
    for (const run of runs) {
      expect(Object.keys(run)).toEqual(KEYS);
      expect(run.gain).toBeLessThanOrEqual(run.bound);
    }
    const figures = (file: string) =>
      JSON.parse(readFileSync(file, 'utf8')).runs.map((run: object) => ({ ...run, wallMs: 0 }));
    expect(figures(again)).toEqual(figures(json));
  });

  it('runs ablations beside tempo, and makes a page that needs nothing from elsewhere', async () => {
    const [json, html] = [join(folder(), 'c.json'), join(folder(), 'c.html')];
    await lab([...small, '--policies', 'fcfs,tempo', '--no-prediction', '--json', json]);
    await report(['--from', json, '--out', html]);
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('no prediction');
    expect(page).toContain('<svg');
    expect(page).not.toMatch(/<script|<link|src=|url\(|https?:/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('names the line of a trace that cannot be read, and runs nothing', async () => {
    const file = join(folder(), 'bad.csv');
    writeFileSync(file, 'num_prefill_tokens,num_decode_tokens\n10,20\n10,many\n');
    await lab(['--workload', `trace:${file}`, '--policies', 'fcfs']);
    expect(process.exitCode).toBe(1);
    expect(said.join('\n')).toContain('bad.csv, line 3: ');
    expect(said.join('\n')).not.toContain('policy');
  });

  it('reads a good one', async () => {
    const file = join(folder(), 'good.csv');
    const rows = Array.from({ length: 40 }, (_, i) => `${100 + i},${5 + (i % 7)}`);
    writeFileSync(file, ['prompt_tokens,output_tokens', ...rows].join('\n'));
    await lab(['--workload', `trace:${file}`, '--policies', 'tempo', '--requests', '80']);
    expect(process.exitCode).toBe(0);
    expect(said.join('\n')).toContain('good.csv, load 1, seed 1');
  });
});

describe('its flags', () => {
  it('have defaults', () => {
    const { policies, loads, seeds, requests } = parseLabArguments([]);
    expect(policies).toEqual([...POLICY_NAMES]);
    expect([loads, seeds, requests]).toEqual([[1], [1], 2000]);
  });

  it.each([
    ['--policies', 'best'],
    ['--load', '0'],
    ['--load', '1,x'],
    ['--seed', '1.5'],
    ['--requests', '-3'],
    ['--mix', '1:1'],
    ['--slo', 'fast'],
    ['--arrivals', 'never'],
    ['--speed', '9'],
    ['--policies', 'fcfs:no-prediction'],
  ])('refuse %s %s with a sentence', (flag, value) => {
    expect(() => parseLabArguments([flag, value])).toThrow(TempoError);
  });
});
