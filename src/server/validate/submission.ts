import { plain, read } from '../plain';
import type { Submission } from '../server-types';
import { type ReadChatParams, readChat } from './chat';
import { alone, expect, isRecord, label, oneOf, type Reader, type Reading, text } from './fields';
import { objective } from './objective';
import { type ReadTextParams, readText } from './text';

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
export interface ReadChatSubmission {
  request: ReadChatParams;
  /** A sentence for each field that was given and is ignored. */
  warnings: string[];
}

/** A request as it was read. */
export type ReadSubmission =
  | ({ kind: 'chat' } & ReadChatSubmission)
  | ({ kind: 'text' } & Pick<ReadChatSubmission, 'warnings'> & { request: ReadTextParams });

const kind = oneOf('chat', 'text');

/**
 * What a caller passes as a submission, as data of our own: it cannot change any more, and holds no
 * functions, cycles, proxies or getters. Throws `invalid_request`, naming the field, where it does.
 */
export function plainSubmission(given: Submission): Submission {
  expect(
    read(() => isRecord(given), ''),
    'params',
    'a submission must be an object',
    given,
  );
  const field = <K extends keyof Submission>(name: K, at: string = name): Submission[K] =>
    plain(
      read(() => given[name], name),
      at,
    );
  return {
    kind: field('kind'),
    id: field('id'),
    app: field('app'),
    program: field('program'),
    slo: field('slo'),
    params: field('params', ''),
  } as Submission;
}

/** What answers, as far as reading goes. */
type Loaded = Pick<Reading, 'model' | 'images'>;

/** Throws a typed error that names the field. */
export function readSubmission(given: Submission, loaded: Loaded): ReadSubmission {
  alone(id, given.id, 'id');
  alone(label, given.app, 'app');
  alone(objective, given.slo, 'slo');
  if ((given.program ?? null) !== null) alone(text, given.program, 'program');
  const { params } = given;
  if (alone(kind, given.kind ?? 'chat', 'kind') === 'chat') {
    return { kind: 'chat', ...readParams(params, loaded) };
  }
  expect(isRecord(params), 'params', 'the request must be an object with a prompt', params);
  const warnings = new Set<string>();
  const request = readText(params, { ...loaded, warnings });
  return { kind: 'text', request, warnings: [...warnings] };
}

/** Throws a typed error that names the field. */
export function readParams(params: unknown, loaded: Loaded): ReadChatSubmission {
  expect(isRecord(params), 'params', 'the request must be an object with messages', params);
  const warnings = new Set<string>();
  const request = readChat(params, { ...loaded, warnings });
  return { request, warnings: [...warnings] };
}
