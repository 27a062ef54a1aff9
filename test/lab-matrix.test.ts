import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run as matrix } from '../bench/lab-matrix';
import { type MatrixReplay, matrixCells, matrixTables } from '../bench/lab-matrix-table';
import { hearCommands } from './heard-commands';

const ORACLE = 'tempo-oracle';

function replays(row: string, load: number, seed: number, gains: Record<string, number>) {
  return Object.entries(gains).map(
    ([policy, gain]): MatrixReplay => ({ row, requests: 9, load, seed, policy, gain }),
  );
}

const HALVES = { [`${ORACLE}:no-graph-matching`]: 150, [`${ORACLE}:no-prediction`]: 180 };

describe('the tables of the matrix', () => {
  const all = [
    ...replays('a', 1, 1, { edf: 40, sjf: 90, tempo: 100, [ORACLE]: 200, ...HALVES }),
    // sjf is the better one here, edf is over both.
    ...replays('a', 1, 2, { edf: 160, sjf: 10, tempo: 64, [ORACLE]: 200, ...HALVES }),
    ...replays('a', 2, 1, { edf: 100, sjf: 50, tempo: 200, [ORACLE]: 200, ...HALVES }),
    // Not whole: no seed has all policies.
    ...replays('b', 1, 1, { edf: 100, tempo: 200 }),
  ];

  it('compare geometric means over the seeds, and leave out what is not whole', () => {
    const [first, second, ...rest] = matrixCells(all);
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ row: 'a', load: 1, seeds: 2, best: 'edf' });
    // 80 of 80, and of 200.
    expect(first.overBest).toBeCloseTo(1, 9);
    expect(first.overOracle).toBeCloseTo(0.4, 9);
    expect(first.lengthsOverOracle).toBeCloseTo(0.75, 9);
    expect(first.graphsOverOracle).toBeCloseTo(0.9, 9);
    expect(second).toMatchObject({ load: 2, seeds: 1, best: 'edf' });
    expect(second.overBest).toBeCloseTo(2, 9);
  });

  it('say where an aim is missed, and the means', () => {
    const said = matrixTables(all);
    expect(said).toContain('| a | 1 | 2 | edf | 1.000 | 40.0% | 75.0% | 90.0% |');
    expect(said).toContain(`| all | ${Math.SQRT2.toFixed(3)} | 63.2% |`);
    expect(said).toContain('Below the best other: nowhere.');
    expect(said).toContain('Below 97.0% of the oracle: a at 1.');
    expect(matrixTables([])).toBe('No cell is whole yet.');
  });

  it('take a policy that earns nothing for what it is', () => {
    const [cell] = matrixCells(
      replays('a', 1, 1, { edf: 0, sjf: 1, tempo: 2, [ORACLE]: 2, ...HALVES }),
    );
    expect(cell).toMatchObject({ best: 'sjf', overBest: 2 });
  });
});

describe('the matrix command', { timeout: 120_000 }, () => {
  const { said, folder } = hearCommands();

  const small = '--rows laptop|agents --load 2 --requests 30 --policies fcfs,edf --threads 2';
  const command = (more: string) => [...small.split(' '), ...more.split(' ')];
  const replayed = () => said.filter((line) => /^\[\d+\/\d+\]/.test(line)).length;

  it('replays every policy, tempo and its oracle, and does nothing twice', async () => {
    const json = join(folder(), 'a.json');
    await matrix(command(`--seed 1 --json ${json}`));
    const all = replayed();
    // The half-oracles are asked where tempo is below its aim.
    expect([2 * 4, 2 * 4 + 2, 2 * 6]).toContain(all);
    expect(said.join('\n')).toMatch(
      /\| page on laptop-gpu \| 2 \| 1 \| (fcfs|edf) \| \d\.\d{3} \|/,
    );
    const table = said.at(-1);
    said.length = 0;

    await matrix(command(`--seed 1 --json ${json}`));
    expect(replayed()).toBe(0);
    expect(said).toEqual([table]);

    await matrix(command(`--seed 1 --again tempo --json ${json}`));
    expect(replayed()).toBe(all - 2 * 2);
    expect(said.at(-1)).toBe(table);
    said.length = 0;

    await matrix(command(`--seed 1,2 --json ${json}`));
    expect(replayed()).toBeGreaterThanOrEqual(2 * 4);
    expect(JSON.parse(readFileSync(json, 'utf8')).replays).toHaveLength(all + replayed());
  });

  it('begins nothing more when its time is up, and says so', async () => {
    const json = join(folder(), 'b.json');
    await matrix(command(`--seed 1 --minutes 0.0001 --json ${json}`));
    expect(said.join('\n')).toContain('The time is up');
    const first = replayed();
    await matrix(command(`--seed 1 --json ${json}`));
    expect(replayed()).toBeGreaterThan(first);
    expect(JSON.parse(readFileSync(json, 'utf8')).replays).toHaveLength(replayed());
  });

  it('asks the half-oracles where it is told to, to tell what tempo lacks', async () => {
    const flags = '--rows laptop --load 6 --seed 1 --requests 120 --policies fcfs --threads 2';
    await matrix([...flags.split(' '), '--halves', 'always']);
    const line = said
      .at(-1)
      ?.split('\n')
      .find((one) => one.startsWith('| page on laptop-gpu | 6 |'));
    const [lengths, graphs] = (line ?? '').split('|').slice(7, 9);
    expect(lengths).toMatch(/\d%/);
    expect(graphs).toMatch(/\d%/);
  });

  it('has a row for each trace', async () => {
    const file = join(folder(), 'sessions.csv');
    const header =
      'session_id,arrival_time,round_idx,prefix_len,input_len,output_len,tool_wait_after_ms';
    writeFileSync(file, [header, 'a,0,0,0,100,20,500', 'a,0,1,100,30,5,0'].join('\n'));
    const flags = `--rows sessions --traces ${file} --load 1 --seed 1 --requests 10 --policies fcfs`;
    await matrix(flags.split(' '));
    expect(said.join('\n')).toContain('| sessions.csv | 1 | 1 | fcfs |');
  });

  it.each([
    ['--rows nothing', 'No row is called "nothing"'],
    ['--load 0', '--load cannot be "0"'],
    ['--seed 1.5', '--seed cannot be "1.5"'],
    ['--halves sometimes', '--halves cannot be "sometimes"'],
    ['--minutes soon', '--minutes cannot be "soon"'],
    ['--requests=-3', '--requests cannot be "-3"'],
    ['--policies best', 'There is no policy "best"'],
    ['--speed 9', "Unknown option '--speed'"],
    ['--traces nowhere.csv', 'nowhere.csv cannot be read'],
  ])('refuses %s with a sentence', async (flags, sentence) => {
    await matrix(flags.split(' '));
    expect(process.exitCode).toBe(1);
    expect(said.join('\n')).toContain(sentence);
  });

  it('refuses a file of another kind, and leaves it as it is', async () => {
    const json = join(folder(), 'c.json');
    writeFileSync(json, '{"runs": []}');
    await matrix(command(`--seed 1 --json ${json}`));
    expect(process.exitCode).toBe(1);
    expect(said.join('\n')).toContain('was not written by');
    expect(readFileSync(json, 'utf8')).toBe('{"runs": []}');
  });
});
