import { TempoError } from './errors';
import type { RequestSpec } from './request';
import { validateSlo } from './slo';

/** Calls of one program. */
const MAX_CALLS = 1024;

/**
 * Throws `invalid_slo`, `program_ended`, `invalid_request` or `context_length_exceeded`, naming the
 * field. `maxPromptTokens`: the longest prompt that the engine takes.
 */
export function checkRequest(spec: RequestSpec, maxPromptTokens: number): void {
  validateSlo(spec.slo);
  checkProgram(spec);
  if (!isCount(spec.promptTokens)) {
    throw invalid('messages', 'The prompt must have at least one token.');
  }
  if (!isCount(spec.maxTokens)) {
    throw invalid('max_tokens', 'max_tokens must be a whole number of at least 1.');
  }
  if (spec.promptTokens > maxPromptTokens) {
    const sentence = `The prompt has ${spec.promptTokens} tokens; this engine takes prompts of at most ${maxPromptTokens}. Shorten the messages.`;
    throw new TempoError('context_length_exceeded', sentence, { param: 'messages' });
  }
}

function checkProgram({ slo, program }: RequestSpec): void {
  if (slo.class === 'program' && program === undefined) {
    const sentence = 'A request of class program needs the program it belongs to.';
    throw new TempoError('invalid_slo', sentence, { param: 'slo' });
  }
  if (program?.ended) {
    const sentence = `The program "${program.id}" has ended; start a new one.`;
    throw new TempoError('program_ended', sentence, { param: 'program' });
  }
  if (program !== undefined && program.calls.length >= MAX_CALLS) {
    throw invalid(
      'program',
      `The program "${program.id}" has had ${MAX_CALLS} calls, the most there may be. Start a new one.`,
    );
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}

function invalid(param: string, sentence: string): TempoError {
  return new TempoError('invalid_request', sentence, { param });
}
