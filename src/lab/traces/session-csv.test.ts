import { describe, expect, it } from 'vitest';
import { TempoError } from '../../scheduler';
import { parseTrace, type TraceProgram } from '.';

const HEADER =
  'session_id,arrival_time,round_idx,prefix_len,input_len,output_len,tool_wait_after_ms';

function programs(...lines: string[]): readonly TraceProgram[] {
  const trace = parseTrace([HEADER, ...lines].join('\n'), 's.csv');
  return trace.kind === 'programs' ? trace.programs : [];
}

function mistake(text: string): TempoError {
  try {
    parseTrace(text, 's.csv');
  } catch (thrown) {
    if (thrown instanceof TempoError) return thrown;
  }
  throw new Error('It was read without complaint.');
}

describe('a CSV of sessions', () => {
  it('is programs of rounds, one call each, with what their tools take', () => {
    const [one, two] = programs('a,0,0,0,100,20,1500', 'a,0,1,96,30,5,0', 'b,5000,0,0,40,8,0');
    const of = (program: TraceProgram) =>
      program.map((stage) =>
        stage.map((row) => [row.promptTokens, row.outputTokens, row.toolWaitMs, row.stage]),
      );
    expect(of(one)).toEqual([[[100, 20, 1500, 'round']], [[126, 5, 0, 'round']]]);
    expect(of(two)).toEqual([[[40, 8, 0, 'round']]]);
  });

  it('has prompts that begin with so much of the round before, and share nothing with other sessions', () => {
    const [[[first], [second], [third]], [[other]]] = programs(
      'a,0,0,0,100,20,0',
      'a,0,1,96,30,5,0',
      'a,0,2,60,10,5,0',
      'b,0,0,0,50,5,0',
    ).map((program) => program.map(([row]) => [row.prefix]));
    expect(first).toEqual([{ from: 0, tokens: 100 }]);
    expect(second).toEqual([
      { from: 0, tokens: 96 },
      { from: 120, tokens: 30 },
    ]);
    // Two thirds of it forgotten.
    expect(third).toEqual([
      { from: 0, tokens: 60 },
      { from: 155, tokens: 10 },
    ]);
    expect(other).toEqual([{ from: 170, tokens: 50 }]);
  });

  it('may go on from the answer of the round before', () => {
    const [[[first], [second]]] = programs('a,0,0,0,100,20,0', 'a,0,1,115,30,5,0');
    expect(first.answerFrom).toBe(100);
    expect(second.prefix).toEqual([
      { from: 0, tokens: 100 },
      { from: 100, tokens: 15 },
      { from: 120, tokens: 30 },
    ]);
    const [[[alone]]] = programs('a,0,0,0,100,20,0', 'a,0,1,100,30,5,0');
    expect(alone.answerFrom).toBeUndefined();
  });

  it('may have its sessions mixed, its columns in any order, and others among them', () => {
    const text = [
      'model,round_idx,session_id,output_len,input_len,prefix_len,tool_wait_after_ms,arrival_time',
      'm,0,a,1,10,0,0,0',
      'm,0,b,2,20,0,0,1',
      'm,1,a,3,5,10,0,0',
    ].join('\n');
    const trace = parseTrace(text, 's.csv');
    const outputs =
      trace.kind === 'programs' &&
      trace.programs.map((program) => program.flat().map((row) => row.outputTokens));
    expect(outputs).toEqual([[1, 3], [2]]);
  });

  it('leaves rounds without output out, and counts them', () => {
    const trace = parseTrace(
      [HEADER, 'a,0,0,0,100,0,0', 'a,0,1,100,30,5,0', 'b,0,0,0,9,0,0'].join('\n'),
      's.csv',
    );
    expect(trace).toMatchObject({ kind: 'programs', withoutOutput: 2 });
    expect(trace.kind === 'programs' && trace.programs.map((program) => program.length)).toEqual([
      1,
    ]);
  });

  it.each([
    ['a,0,0,0,100,20', 'line 2: 7 fields expected, got 6'],
    ['a,0,0,0,1.5,20,0', 'line 2: input_len must be a whole number from 1, got "1.5"'],
    ['a,0,0,0,0,20,0', 'line 2: input_len must be a whole number from 1, got "0"'],
    ['a,0,0,-1,10,20,0', 'line 2: prefix_len must be a whole number from 0'],
    ['a,0,0,0,10,x,0', 'line 2: output_len must be a whole number from 0'],
    ['a,0,x,0,10,20,0', 'line 2: round_idx must be a whole number from 0'],
    ['a,noon,0,0,10,20,0', 'line 2: arrival_time must be ms from 0, got "noon"'],
    ['a,,0,0,10,20,0', 'line 2: arrival_time must be ms from 0, got ""'],
    ['a,0,0,0,10,20,-5', 'line 2: tool_wait_after_ms must be ms from 0, got "-5"'],
    ['a,0,0,0,10,20,Infinity', 'line 2: tool_wait_after_ms must be ms from 0'],
    ['a,0,1,0,10,20,0', 'line 2: round 0 of session "a" expected, got round 1'],
    ['a,0,0,0,10,20,0\na,0,2,0,10,20,0', 'line 3: round 1 of session "a" expected, got round 2'],
    ['a,0,0,8,10,20,0', 'line 2: prefix_len is 8, but the round before has left 0 tokens'],
    [
      'a,0,0,0,10,20,0\na,0,1,31,1,1,0',
      'line 3: prefix_len is 31, but the round before has left 30',
    ],
  ])('names the place of a mistake: %s', (lines, message) => {
    const error = mistake(`${HEADER}\n${lines}\n`);
    expect(error.code).toBe('invalid_request');
    expect(error.message).toContain(`s.csv, ${message}`);
  });

  it('names the columns that are not there', () => {
    expect(mistake('session_id,round_idx,prefix_len,input_len,output_len\n').message).toContain(
      's.csv, line 1: the header of sessions must name session_id, arrival_time',
    );
    expect(mistake('session_id,round_idx,prefix_len\n').message).toContain(
      'arrival_time, input_len, output_len, tool_wait_after_ms is not there',
    );
    expect(mistake(`${HEADER}\n`).message).toContain('there is nothing in it');
  });
});
