import { type GraphProfile, type LengthProfile, TempoError } from '../scheduler';

/** What a server has learnt, to keep or to share: numbers under the developer's own labels, no text. */
export interface Profile {
  lengths?: LengthProfile;
  graphs?: GraphProfile;
}

/** Throws `invalid_request` unless `json` is what `exportProfile` gave. */
export function parseProfile(json: string): Profile {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (thrown) {
    throw invalid('is not JSON', thrown);
  }
  if (!isRecord(value)) throw invalid('is not an object');
  const { lengths, graphs } = value;
  if (lengths !== undefined && !isLengthProfile(lengths)) throw invalid('has no valid lengths');
  if (graphs !== undefined && !isGraphProfile(graphs)) throw invalid('has no valid graphs');
  return { lengths, graphs };
}

function isLengthProfile(value: unknown): value is LengthProfile {
  return (
    isRecord(value) &&
    value.version === 1 &&
    isRecord(value.lengths) &&
    everyList(value.lengths, (centroid) => hasNumbers(centroid, ['mean', 'n']))
  );
}

function isGraphProfile(value: unknown): value is GraphProfile {
  return (
    isRecord(value) &&
    value.version === 1 &&
    isRecord(value.graphs) &&
    everyList(
      value.graphs,
      (graph) => isRecord(graph) && Array.isArray(graph.stages) && graph.stages.every(isStage),
    )
  );
}

const STAGE_NUMBERS = ['fanOut', 'promptTokens', 'outputTokens', 'longestTokens', 'gapMs'];

function isStage(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.label === 'string' &&
    hasNumbers(value, STAGE_NUMBERS) &&
    (value.freshTokens === undefined || isAmount(value.freshTokens))
  );
}

function everyList(lists: Record<string, unknown>, isSane: (item: unknown) => boolean): boolean {
  return Object.values(lists).every((list) => Array.isArray(list) && list.every(isSane));
}

function hasNumbers(value: unknown, names: readonly string[]): boolean {
  return isRecord(value) && names.every((name) => isAmount(value[name]));
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(what: string, cause?: unknown): TempoError {
  return new TempoError(
    'invalid_request',
    `The profile ${what}. Import what exportProfile gave, unchanged.`,
    { param: 'profile', cause },
  );
}
