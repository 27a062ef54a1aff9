import { describe, expect, it } from 'vitest';
import { TempoError } from '../../scheduler';
import { parseTrace } from '.';

function error(text: string, file: string): TempoError {
  try {
    parseTrace(text, file);
  } catch (thrown) {
    if (thrown instanceof TempoError) return thrown;
  }
  throw new Error('It was read without complaint.');
}

describe('trace files', () => {
  it('Azure CSV: dates with seven decimals, context and generated tokens', () => {
    const text =
      'TIMESTAMP,ContextTokens,GeneratedTokens\n' +
      '2023-11-16 18:15:46.6805900,374,44\r\n' +
      '2023-11-16 18:15:50.9951690,396,109\n';
    const trace = parseTrace(text, 'azure.csv');
    const rows = trace.kind === 'requests' ? trace.rows : [];
    expect(rows.map((row) => [row.promptTokens, row.outputTokens])).toEqual([
      [374, 44],
      [396, 109],
    ]);
    expect((rows[1].atMs ?? 0) - (rows[0].atMs ?? 0)).toBeCloseTo(4314.579, 2);
  });

  it('plain lengths CSV: no times', () => {
    const trace = parseTrace('num_prefill_tokens,num_decode_tokens\n3772,54\n', 'plain.csv');
    expect(trace).toEqual({ kind: 'requests', rows: [{ promptTokens: 3772, outputTokens: 54 }] });
  });

  it('Mooncake JSONL: times in ms, hash ids as shared prefixes of 512 tokens', () => {
    const text = '{"timestamp": 10, "input_length": 600, "output_length": 5, "hash_ids": [0, 7]}\n';
    expect(parseTrace(text, 'm.jsonl')).toEqual({
      kind: 'requests',
      rows: [
        {
          promptTokens: 600,
          outputTokens: 5,
          atMs: 10,
          // 7 · 512, but for the prompt's last token.
          prefix: [
            { from: 0, tokens: 512 },
            { from: 3584, tokens: 87 },
          ],
        },
      ],
    });
  });

  it('program JSON: stages of parallel calls', () => {
    expect(parseTrace('[[[[436,99]],[[177,1024],[169,955]]]]', 'p.json')).toEqual({
      kind: 'programs',
      programs: [
        [
          [{ promptTokens: 436, outputTokens: 99 }],
          [
            { promptTokens: 177, outputTokens: 1024 },
            { promptTokens: 169, outputTokens: 955 },
          ],
        ],
      ],
    });
  });

  const csv = (...lines: string[]) =>
    ['TIMESTAMP,ContextTokens,GeneratedTokens', ...lines].join('\n');
  const timesOf = (text: string, file = 'a.csv') => {
    const trace = parseTrace(text, file);
    return trace.kind === 'requests' ? trace.rows.map(({ atMs }) => atMs) : [];
  };

  it.each([
    ['2024-05-10 00:00:00.009930+00:00', Date.UTC(2024, 4, 10) + 9.93],
    ['2024-05-10T00:00:00Z', Date.UTC(2024, 4, 10)],
    ['2024-05-10 02:30:00+02:30', Date.UTC(2024, 4, 10)],
    ['2024-05-09 19:00:00.5-0500', Date.UTC(2024, 4, 10) + 500],
    ['2024-02-29 23:59:59', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['9.5e-05', 0.095],
    ['1E3', 1e6],
    ['.5', 500],
    ['"2024-05-10 00:00:00"', Date.UTC(2024, 4, 10)],
  ])('a time may be %s', (time, ms) => {
    expect(timesOf(csv(`${time},2,3`))[0]).toBeCloseTo(ms, 3);
  });

  it.each([
    '2024-02-30 00:00:00',
    '2023-02-29 00:00:00',
    '2024-13-01 00:00:00',
    '2024-00-10 00:00:00',
    '2024-05-10 24:00:00',
    '2024-05-10 00:60:00',
    '2024-05-10 00:00:61',
    '2024-05-10 00:00:00+25:00',
    '-1',
    '1e999',
    '',
  ])('a time that there is not is named: %s', (time) => {
    expect(error(csv('1,2,3', `${time},2,3`), 'a.csv').message).toBe(
      `a.csv, line 3: "${time}" is no time.`,
    );
  });

  it('a CSV may have quotes, any line ends and capitals', () => {
    const text = [
      '"Timestamp","ContextTokens",GENERATEDTOKENS,"note, with ""quotes"""\r\n',
      '1,"2",3,"a\nb"\r\n',
      '\r\n"2",3,4,\n',
    ].join('');
    expect(timesOf(text, 'A.CSV')).toEqual([1000, 2000]);
    expect(error(`${text}3,4\n`, 'A.CSV').message).toContain('A.CSV, line 6: 4 fields expected');
    expect(error(`${text}3,4,5"x,\n`, 'A.CSV').message).toContain('A.CSV, line 6: a quote');
  });

  it('a mark of the encoding at the start is no part of any format', () => {
    const mooncake = '{"timestamp": 10, "input_length": 6, "output_length": 5, "hash_ids": [0]}';
    for (const [file, text] of [
      ['a.csv', csv('1,2,3')],
      ['a.JSONL', mooncake],
      ['a.Json', '[[[[1,2]]]]'],
    ]) {
      expect(parseTrace(`\uFEFF${text}`, file)).toEqual(parseTrace(text, file));
    }
  });

  it('a column that looks like arrivals and is not read is named', () => {
    const names = ['arrival_time', 'start_time', 'ts', 'Date', 'request_timestamp', 'created_at'];
    for (const name of [...names, 'submitted', 'createdAt', 'start', 'epoch_ms', 'sent', 't']) {
      const text = `${name},prompt_tokens,output_tokens\n1,2,3\n`;
      expect(error(text, 'a.csv').message).toContain(
        `a.csv, line 1: the column "${name}" looks like`,
      );
    }
    for (const name of [
      'time_to_first_token',
      'latency',
      'e2e_duration',
      'time_per_token',
      'model',
    ]) {
      expect(timesOf(`${name},prompt_tokens,output_tokens\n1,2,3\n`)).toEqual([undefined]);
    }
    expect(
      error('x,prompt_tokens,output_tokens\n2024-05-10 00:00:00,2,3\n', 'a.csv').message,
    ).toContain('a.csv, line 1: the column "x" looks like');
    for (const name of ['tenant', 'category', 'format', 'temperature', 'restarts']) {
      expect(timesOf(`${name},prompt_tokens,output_tokens\n1,2,3\n`)).toEqual([undefined]);
    }
    expect(timesOf('timestamp,end_time,prompt_tokens,output_tokens\n1,2,3,4\n')).toEqual([1000]);
  });

  it('requests without output are left out and counted', () => {
    expect(parseTrace(csv('1,2,3', '2,2,0', '3,2,0'), 'a.csv')).toMatchObject({
      rows: [{ atMs: 1000 }],
      withoutOutput: 2,
    });
    expect(parseTrace('[[[[1,2],[3,0]],[[4,0]]],[[[5,0]]]]', 'a.json')).toEqual({
      kind: 'programs',
      programs: [[[{ promptTokens: 1, outputTokens: 2 }]]],
      withoutOutput: 3,
    });
    expect(parseTrace(csv('1,2,3'), 'a.csv')).not.toHaveProperty('withoutOutput');
    expect(error(csv('1,2,0'), 'a.csv').message).toContain('there is nothing in it');
  });

  it('Mooncake’s ids are as many as the prompt has blocks, of whatever size', () => {
    const row = (length: number, ids: number) =>
      JSON.stringify({
        timestamp: 0,
        input_length: length,
        output_length: 1,
        hash_ids: Array.from({ length: ids }, (_, id) => id),
      });
    for (const [length, ids] of [
      [512, 1],
      [513, 2],
      [6758, 14],
      [6758, 0],
    ]) {
      expect(parseTrace(row(length, ids), 'm.jsonl')).toMatchObject({ kind: 'requests' });
    }
    const { message } = error(`${row(512, 1)}\n${row(513, 1)}`, 'm.jsonl');
    expect(message).toContain(
      'm.jsonl, line 2: a prompt of 513 tokens has 2 blocks of 512, not the 1',
    );
    const trace = parseTrace(row(513, 33), 'm.jsonl', { blockTokens: 16 });
    const rows = trace.kind === 'requests' ? trace.rows : [];
    expect(rows[0].prefix).toHaveLength(32);
    expect(rows[0].prefix?.[31]).toEqual({ from: 31 * 16, tokens: 16 });
    expect(() => parseTrace(row(513, 2), 'm.jsonl', { blockTokens: 16 })).toThrow(
      /33 blocks of 16/,
    );
  });

  it.each([
    ['a.csv', 'TIMESTAMP,ContextTokens,GeneratedTokens\n1,2,3\n1,2\n', 'a.csv, line 3: 3 fields'],
    ['a.csv', 'TIMESTAMP,ContextTokens,GeneratedTokens\n1,2.5,3\n', 'a.csv, line 2: token counts'],
    ['a.csv', 'TIMESTAMP,ContextTokens,GeneratedTokens\n1,0,3\n', 'a.csv, line 2: token counts'],
    [
      'a.csv',
      'TIMESTAMP,ContextTokens,GeneratedTokens\nnoon,2,3\n',
      'a.csv, line 2: "noon" is no time',
    ],
    ['a.csv', 'when,how long\n', 'a.csv, line 1: the header'],
    [
      'm.jsonl',
      '{"timestamp":0,"input_length":1,"output_length":1,"hash_ids":[]}\n{"tim',
      'm.jsonl, line 2: no JSON object',
    ],
    [
      'm.jsonl',
      '{"timestamp":-1,"input_length":1,"output_length":1,"hash_ids":[]}',
      'm.jsonl, line 1: timestamp',
    ],
    [
      'm.jsonl',
      '{"timestamp":0,"input_length":"x","output_length":1,"hash_ids":[]}',
      'm.jsonl, line 1: input_length',
    ],
    [
      'm.jsonl',
      '{"timestamp":0,"input_length":1,"output_length":1,"hash_ids":[0.5]}',
      'm.jsonl, line 1: hash_ids',
    ],
    ['p.json', '[\n[[[1,2]]],\n[[[1,2]]', 'p.json, line 3: no JSON'],
    ['p.json', '[[[[1,2]]],[[[1,2],[3]]]]', 'p.json: program 2, stage 1, call 2'],
    ['p.json', '{}', 'p.json: a list of programs'],
    ['p.json', '[[]]', 'p.json: program 1'],
    ['e.csv', 'prompt_tokens,output_tokens\n', 'e.csv: there is nothing in it'],
    ['e.txt', '', 'e.txt: a trace is a .csv'],
  ])('names the place of a mistake: %s %#', (file, text, message) => {
    const { code, message: said } = error(text, file);
    expect(code).toBe('invalid_request');
    expect(said).toContain(message);
  });
});
