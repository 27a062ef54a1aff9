import { firstTokens, passagesOf } from '../passage';
import { badLine, quoted, type TraceRow, tokenCount } from './trace-row';

/** Tokens of a block in Mooncake's own traces. */
const BLOCK_TOKENS = 512;

/**
 * Reads Mooncake's JSONL (FAST '25): one object a line with `timestamp` (ms), `input_length`,
 * `output_length` and `hash_ids`, the prompt's blocks of 512 tokens (or `blockTokens`): prompts share as
 * many tokens as they have leading ids in common. There is an id for each block, or none at all. Throws
 * `invalid_request`, naming file and line.
 */
export function parseMooncake(
  text: string,
  file: string,
  blockTokens: number = BLOCK_TOKENS,
): TraceRow[] {
  const rows: TraceRow[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() !== '') rows.push(parseRow(line, file, i + 1, blockTokens));
  }
  return rows;
}

function parseRow(line: string, file: string, number: number, blockTokens: number): TraceRow {
  const object = parseObject(line);
  if (object === undefined) throw badLine(file, number, `no JSON object: "${line.slice(0, 80)}".`);
  const { timestamp, input_length, output_length, hash_ids } = object;
  const promptTokens = tokenCount(input_length);
  const outputTokens = tokenCount(output_length, 0);
  if (promptTokens === undefined || outputTokens === undefined) {
    const got = `${quoted(input_length)} and ${quoted(output_length)}`;
    throw badLine(
      file,
      number,
      `input_length and output_length must be whole numbers from 1, got ${got}.`,
    );
  }
  if (typeof timestamp !== 'number' || !(timestamp >= 0)) {
    throw badLine(file, number, `timestamp must be ms from 0, got ${quoted(timestamp)}.`);
  }
  if (!Array.isArray(hash_ids) || !hash_ids.every((id) => Number.isSafeInteger(id) && id >= 0)) {
    throw badLine(file, number, 'hash_ids must be a list of whole numbers from 0.');
  }
  const blocks = Math.ceil(promptTokens / blockTokens);
  if (hash_ids.length > 0 && hash_ids.length !== blocks) {
    const sentence = `a prompt of ${promptTokens} tokens has ${blocks} blocks of ${blockTokens}, not the ${hash_ids.length} of hash_ids. Another block size is --block-tokens.`;
    throw badLine(file, number, sentence);
  }
  // The last block may be a part of one; its last token is the prompt's own, or equal ids would be equal prompts.
  const prefix = firstTokens(passagesOf(hash_ids, blockTokens), promptTokens - 1);
  return { promptTokens, outputTokens, atMs: timestamp, prefix };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
