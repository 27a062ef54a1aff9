import { TempoError } from '../../scheduler';
import { badLine, quoted, type TraceProgram, type TraceRow, tokenCount } from './trace-row';

/**
 * Reads programs: a JSON list of programs, each a list of stages, each a list of parallel calls, each
 * `[input tokens, output tokens]`. Throws `invalid_request`, naming the file, the line if the JSON
 * itself is broken, and else the program, stage and call (from 1).
 */
export function parseProgramJson(text: string, file: string): TraceProgram[] {
  const programs = parseJson(text, file);
  if (!Array.isArray(programs)) throw badProgram(file, 'a list of programs was expected');
  return programs.map((stages: unknown, p) => {
    const program = `program ${p + 1}`;
    if (!Array.isArray(stages) || stages.length === 0) {
      throw badProgram(file, `${program} must be a list of at least one stage`);
    }
    return stages.map((calls: unknown, s) => {
      const stage = `${program}, stage ${s + 1}`;
      if (!Array.isArray(calls) || calls.length === 0) {
        throw badProgram(file, `${stage} must be a list of at least one call`);
      }
      return calls.map((call: unknown, c) => parseCall(call, file, `${stage}, call ${c + 1}`));
    });
  });
}

function parseCall(call: unknown, file: string, where: string): TraceRow {
  const [input, output] = Array.isArray(call) && call.length === 2 ? call : [];
  const promptTokens = tokenCount(input);
  const outputTokens = tokenCount(output, 0);
  if (promptTokens === undefined || outputTokens === undefined) {
    throw badProgram(
      file,
      `${where} must be [input tokens, output tokens], whole numbers from 1, got ${quoted(call)}`,
    );
  }
  return { promptTokens, outputTokens };
}

function badProgram(file: string, problem: string): TempoError {
  return new TempoError('invalid_request', `${file}: ${problem}.`, { param: 'trace' });
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    throw badLine(file, text.slice(0, position).split('\n').length, `no JSON: ${message}.`);
  }
}
