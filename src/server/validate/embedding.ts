import type { Embedder } from '../../engine/embedder';
import { type Slo, TempoError } from '../../scheduler';
import type { EmbeddingSubmission } from '../embedding-types';
import { plain, read } from '../plain';
import { Turns } from '../turns';
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

/** No text of more characters for each token that a model takes can be short enough. */
const MAX_CHARACTERS_PER_TOKEN = 32;

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
  const field = (name: keyof EmbeddingSubmission, at: string = name): unknown =>
    plain(
      read(() => given?.[name], name),
      at,
    );
  const params = field('params', '');
  const sentence = 'a request for embeddings must be an object with input';
  expect(isRecord(params), 'input', sentence, params);
  alone(label, field('app'), 'app');
  const { input, model, dimensions, slo } = alone(EMBEDDING, params);
  return {
    id: alone(id, field('id'), 'id'),
    input,
    model,
    dimensions,
    slo: slo ?? alone(objective, field('slo'), 'slo'),
  };
}

/**
 * The inputs as tokens. Throws `invalid_request` for what is no text and no list of the model's token ids,
 * and `context_length_exceeded` for what is too long, by its place.
 */
export async function readInput(input: unknown, embedder: Embedder): Promise<Int32Array[]> {
  const single = typeof input === 'string' || areIds(input);
  const inputs: unknown = single ? [input] : input;
  expect(
    Array.isArray(inputs) && inputs.length >= 1 && inputs.length <= MAX_INPUTS,
    'input',
    `input must be a text, a list of 1 to ${MAX_INPUTS} texts, or token ids`,
    input,
  );
  const turns = new Turns();
  const all: Int32Array[] = [];
  for (const [i, one] of inputs.entries()) {
    const at = single ? 'input' : `input[${i}]`;
    const { contextWindow, model } = embedder;
    const long = typeof one === 'string' && one.length > contextWindow * MAX_CHARACTERS_PER_TOKEN;
    const ids = long ? { length: `more than ${contextWindow}` } : idsOf(one, at, embedder);
    if (!('at' in ids) || ids.length > contextWindow) {
      throw new TempoError(
        'context_length_exceeded',
        `${at} has ${ids.length} tokens; "${model}" takes ${contextWindow}. Cut it in parts.`,
        { param: at },
      );
    }
    all.push(ids);
    await turns.give();
  }
  return all;
}

function idsOf(input: unknown, at: string, embedder: Embedder): Int32Array {
  if (typeof input === 'string') {
    const ids = input === '' ? new Int32Array(0) : embedder.encode(input);
    expect(ids.length > 0, at, `${at} must be a text that is not empty`, input);
    return ids;
  }
  expect(areIds(input), at, `${at} must be a text or a list of token ids`, input);
  const { vocabSize } = embedder;
  const wrong = input.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  const param = `${at}[${wrong}]`;
  const sentence = `${param} must be a token id from 0 to ${vocabSize - 1}`;
  expect(wrong < 0, param, sentence, input[wrong]);
  return Int32Array.from(input);
}

function areIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => typeof id === 'number');
}
