/** What a server has learnt, to keep or to share. Loaded when that is first brought. */

import { yieldToEventLoop } from '../engine/yield';
import { type GraphProfile, type LengthProfile, type Scheduler, TempoError } from '../scheduler';
import { Turns } from './turns';
import { alone, expect, label, list, number, object, type Reader, record } from './validate/fields';

/** Numbers under the developer's own labels, no text. */
export interface Profile {
  lengths?: LengthProfile;
  graphs?: GraphProfile;
}

/** Characters of JSON: more than `exportProfile` ever gives. */
export const MAX_PROFILE = 1_000_000;
/** Keys, and entries under one. */
const MAX_KEYS = 2048;
const MAX_ENTRIES = 1024;

const amount = number('a number from 0 to 1e9', (n) => n >= 0 && n <= 1e9);
const atLeastOne = number('a number from 1 to 1e9', (n) => n >= 1 && n <= 1e9);
const version: Reader<1> = (value, at) => {
  expect(value === 1, at, `${at} must be 1`, value);
  return value;
};

/** An object whose keys are its owner's, read a little at a time. */
async function keyed<T>(
  value: Readonly<Record<string, unknown>>,
  at: string,
  isKey: (key: string) => boolean,
  of: Reader<T>,
): Promise<Record<string, T>> {
  const turns = new Turns();
  const entries = Object.entries(value);
  expect(entries.length <= MAX_KEYS, at, `${at} must have at most ${MAX_KEYS} keys`, value);
  const read: [string, T][] = [];
  for (const [key, item] of entries) {
    const param = `${at}.${key}`;
    expect(isKey(key), param, `${at} must be keyed by labels`, key);
    read.push([key, alone(of, item, param)]);
    await turns.give();
  }
  return Object.fromEntries(read);
}

const isLabel = (key: string): boolean => key !== '' && tried(() => alone(label, key));

/** app, app/stage, app/stage/prompt-size bucket, each part escaped; '' for all together. */
function isLengthKey(key: string): boolean {
  const [app, stage, size = '0', ...more] = key.split('/');
  if (key === '') return true;
  const names = stage === undefined ? [app] : [app, stage];
  const escaped = names.every((name) => tried(() => alone(label, decodeURIComponent(name))));
  return escaped && /^\d\d?$/.test(size) && more.length === 0;
}

function tried(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}

const CENTROID = object({ mean: amount, n: amount }, ['mean', 'n']);
const STAGE = object(
  {
    label,
    fanOut: atLeastOne,
    promptTokens: amount,
    freshTokens: amount,
    outputTokens: amount,
    longestTokens: amount,
    gapMs: amount,
  },
  ['label', 'fanOut', 'promptTokens', 'outputTokens', 'longestTokens', 'gapMs'],
);
const GRAPH = object({ sloMs: atLeastOne, stages: list(STAGE, MAX_ENTRIES) }, ['sloMs', 'stages']);

const CENTROIDS = list(CENTROID, MAX_ENTRIES);
const GRAPHS = list(GRAPH, MAX_ENTRIES);

const PROFILE = object({
  lengths: object({ version, lengths: record }, ['version', 'lengths']),
  graphs: object({ version, graphs: record }, ['version', 'graphs']),
});

/** Rejects with `invalid_request` unless `json` is what `exportProfile` gave. */
export async function readProfile(json: unknown): Promise<Profile> {
  let why = 'is not JSON';
  try {
    if (typeof json === 'string' && json.length <= MAX_PROFILE) {
      const value: unknown = JSON.parse(json);
      await yieldToEventLoop();
      const { lengths, graphs } = alone(PROFILE, value);
      return {
        lengths: lengths && {
          version: 1,
          lengths: await keyed(lengths.lengths, 'lengths', isLengthKey, CENTROIDS),
        },
        graphs: graphs && {
          version: 1,
          graphs: await keyed(graphs.graphs, 'graphs', isLabel, GRAPHS),
        },
      };
    }
    if (typeof json === 'string') why = `is longer than ${MAX_PROFILE} characters`;
  } catch (thrown) {
    if (thrown instanceof TempoError) why = `is not right: ${thrown.message.replace(/\.$/, '')}`;
  }
  throw new TempoError(
    'invalid_request',
    `The profile ${why}. Import what exportProfile gave, unchanged.`,
    { param: 'profile' },
  );
}

/** Adds to what is known, a little at a time: steps are planned meanwhile. */
export async function mergeProfile(
  { lengths, graphs }: Pick<Scheduler, 'lengths' | 'graphs'>,
  profile: Profile,
): Promise<void> {
  const turns = new Turns();
  await yieldToEventLoop();
  for (const [key, centroids] of Object.entries(profile.lengths?.lengths ?? {})) {
    lengths.merge({ version: 1, lengths: { [key]: centroids } });
    await turns.give();
  }
  for (const [kind, records] of Object.entries(profile.graphs?.graphs ?? {})) {
    graphs.merge({ version: 1, graphs: { [kind]: records } });
    await turns.give();
  }
}
