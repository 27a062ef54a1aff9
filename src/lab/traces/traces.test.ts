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
        { promptTokens: 600, outputTokens: 5, atMs: 10, prefix: { ids: [0, 7], blockTokens: 512 } },
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
