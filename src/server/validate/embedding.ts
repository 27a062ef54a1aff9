import type { Embedder } from '../../engine/embedder';
import { type Slo, TempoError } from '../../scheduler';
import type { EmbeddingSubmission } from '../embedding-types';
import { plain } from '../plain';
import {
  alone,
  expect,
  isRecord,
  label,
  object,
  oneOf,
  type Reader,
  text,
  wholeNumber,
} from './fields';
import { objective } from './objective';
import { id } from './submission';

/** The OpenAI API's limit. */
const MAX_INPUTS = 2048;

/** Read where the model is known. */
const anything: Reader<unknown> = (value) => value;

const EMBEDDING = object(
  {
    input: anything,
    model: text,
    encoding_format: oneOf('float', 'base64'),
    dimensions: wholeNumber(1),
    user: text,
    slo: objective,
  },
  ['input'],
);

/** A request for embeddings as it was read. */
export interface EmbeddingRequest {
  id: string;
  input: unknown;
  model?: string;
  dimensions?: number;
  slo: Slo;
}

/** Throws a typed error that names the field. */
export function readEmbedding(given: EmbeddingSubmission): EmbeddingRequest {
  const isRequest = isRecord(given) && isRecord(given.params);
  expect(isRequest, 'input', 'a request for embeddings must be an object with input', given);
  alone(label, given.app, 'app');
  const { input, model, dimensions, slo } = alone(EMBEDDING, plain<unknown>(given.params, ''));
  return {
    id: alone(id, given.id, 'id'),
    input,
    model,
    dimensions,
    slo: slo ?? alone(objective, plain(given.slo, 'slo'), 'slo'),
  };
}

/**
 * The inputs as tokens. Throws `invalid_request` for what is no text and no list of the model's token ids,
 * and `context_length_exceeded` for what is too long, by its place.
 */
export function readInput(input: unknown, embedder: Embedder): Int32Array[] {
  const single = typeof input === 'string' || areIds(input);
  const inputs: unknown = single ? [input] : input;
  expect(
    Array.isArray(inputs) && inputs.length >= 1 && inputs.length <= MAX_INPUTS,
    'input',
    `input must be a text, a list of 1 to ${MAX_INPUTS} texts, or token ids`,
    input,
  );
  return inputs.map((one: unknown, i) => {
    const at = single ? 'input' : `input[${i}]`;
    const ids = idsOf(one, at, embedder);
    const { contextWindow, model } = embedder;
    if (ids.length <= contextWindow) return ids;
    throw new TempoError(
      'context_length_exceeded',
      `${at} has ${ids.length} tokens; "${model}" takes ${contextWindow}. Cut it in parts.`,
      { param: at },
    );
  });
}

function idsOf(input: unknown, at: string, embedder: Embedder): Int32Array {
  if (typeof input === 'string') {
    const ids = input === '' ? new Int32Array(0) : embedder.encode(input);
    expect(ids.length > 0, at, `${at} must be a text that is not empty`, input);
    return ids;
  }
  expect(areIds(input), at, `${at} must be a text or a list of token ids`, input);
  const { vocabSize } = embedder;
  for (const [i, token] of input.entries()) {
    const param = `${at}[${i}]`;
    const holds = Number.isInteger(token) && token >= 0 && token < vocabSize;
    expect(holds, param, `${param} must be a token id from 0 to ${vocabSize - 1}`, token);
  }
  return Int32Array.from(input);
}

function areIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => typeof id === 'number');
}
