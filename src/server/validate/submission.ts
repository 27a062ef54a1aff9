import { plain } from '../plain';
import type { Submission } from '../server-types';
import { type ChatRequest, readChat } from './chat';
import { alone, expect, isRecord, label, type Reader } from './fields';
import { objective } from './objective';

const MAX_ID = 256;

export const id: Reader<string> = (value, at) => {
  expect(
    // `#` parts it from the number of a further choice.
    typeof value === 'string' && value !== '' && value.length <= MAX_ID && !value.includes('#'),
    at,
    `${at} must be a string of 1 to ${MAX_ID} characters without #`,
    value,
  );
  return value;
};

/** A chat request as it was read. */
export interface ReadRequest {
  request: ChatRequest;
  /** A sentence for each field that was given and is ignored. */
  warnings: string[];
}

/**
 * What a caller passes as a submission, as data of our own: it cannot change any more, and holds no
 * functions, cycles, proxies or getters. Throws `invalid_request`, naming the field, where it does.
 */
export function plainSubmission(given: Submission): Submission {
  expect(isRecord(given), 'params', 'a submission must be an object', given);
  const { id: name, app, params, slo, program } = given;
  return { id: name, app, program, params: plain(params, ''), slo: plain(slo, 'slo') };
}

/** Throws a typed error that names the field. `model` is what is loaded. */
export function readSubmission({ params, ...given }: Submission, model: string): ReadRequest {
  alone(id, given.id, 'id');
  alone(label, given.app, 'app');
  alone(objective, given.slo, 'slo');
  return readParams(params, model);
}

/** Throws a typed error that names the field. `model` is what is loaded. */
export function readParams(params: unknown, model: string): ReadRequest {
  expect(isRecord(params), 'params', 'the request must be an object with messages', params);
  const warnings = new Set<string>();
  const request = readChat(params, { model, warnings });
  return { request, warnings: [...warnings] };
}
