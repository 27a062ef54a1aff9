import { TempoError, type TempoErrorJson } from '../../client';
import { chunk } from './chunk';

/** A piece of text and, once there is one, its summary. */
export interface Part {
  text: string;
  state: 'waiting' | 'active' | 'done';
  summary?: string;
  /** The summary was made up by the simulated engine. */
  simulated?: boolean;
}

/**
 * A text on its way to a summary. Level 0 is the text in pieces; each further level is the summaries
 * of the one before, joined and cut again, until a level has one piece, whose summary is the answer.
 */
export interface Document {
  id: string;
  title: string;
  /** Brought by the reader. */
  own: boolean;
  levels: readonly (readonly Part[])[];
  /** What it came to the time before, while it is summarized again. */
  last?: Outcome;
  error?: TempoErrorJson;
}

export interface Outcome {
  summary: string;
  simulated: boolean;
}

const PART_CHARACTERS = 1000;

/** Whether a stored value is a document that can be shown and gone on with. */
export function isDocument(value: unknown): value is Document {
  if (!isRecord(value)) return false;
  const { id, title, levels, error, last } = value;
  return (
    typeof id === 'string' &&
    typeof title === 'string' &&
    (error === undefined || (isRecord(error) && typeof error.message === 'string')) &&
    (last === undefined || (isRecord(last) && typeof last.summary === 'string')) &&
    Array.isArray(levels) &&
    levels.length > 0 &&
    levels.every((level) => Array.isArray(level) && level.length > 0 && level.every(isPart))
  );
}

const STATES: readonly unknown[] = ['waiting', 'active', 'done'] satisfies Part['state'][];

function isPart(value: unknown): value is Part {
  if (!isRecord(value) || typeof value.text !== 'string' || !STATES.includes(value.state))
    return false;
  return typeof value.summary === (value.state === 'done' ? 'string' : typeof value.summary);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function createDocument(id: string, title: string, text: string, own: boolean): Document {
  return { id, title, own, levels: [partsOf(text)] };
}

/** The same text, to be summarized again from the start. */
export function again(document: Document): Document {
  const { id, title, own, levels } = document;
  const parts = levels[0].map(({ text }): Part => ({ text, state: 'waiting' }));
  return { id, title, own, levels: [parts], last: outcomeOf(document) };
}

export function summaryOf({ levels }: Document): string | undefined {
  const last = levels.at(-1);
  return last?.length === 1 ? last[0].summary : undefined;
}

/** What the document came to, this time or (while it is done again) the last. */
export function outcomeOf(document: Document): Outcome | undefined {
  const summary = summaryOf(document);
  if (summary === undefined) return document.last;
  return { summary, simulated: document.levels.at(-1)?.[0].simulated ?? false };
}

export function isDone(document: Document): boolean {
  return summaryOf(document) !== undefined;
}

export function partCounts({ levels }: Document): { done: number; total: number } {
  const parts = levels.flat();
  const open = levels.at(-1)?.length === 1 ? 0 : 1; // at least one call to join them
  return { done: parts.filter((p) => p.state === 'done').length, total: parts.length + open };
}

/** The next piece to work on; undefined when all are done, under way, or stuck. */
export function nextPart({ levels, error }: Document): { level: number; at: number } | undefined {
  if (error !== undefined) return undefined;
  const level = levels.length - 1;
  const at = levels[level].findIndex((part) => part.state === 'waiting');
  return at < 0 ? undefined : { level, at };
}

/** The document with one piece changed, and the next level when that completes this one. */
export function withPart(
  document: Document,
  level: number,
  at: number,
  change: Partial<Part>,
): Document {
  const levels = document.levels.map((parts, l) =>
    l === level ? parts.map((part, p) => (p === at ? { ...part, ...change } : part)) : parts,
  );
  const last = levels[levels.length - 1];
  if (last.length > 1 && last.every((part) => part.state === 'done')) {
    const next = partsOf(last.map((part) => part.summary).join('\n\n'));
    // Summaries that came out no shorter than their texts must not go on for ever.
    levels.push(next.length < last.length ? next : next.slice(0, 1));
  }
  return { ...document, levels };
}

/** The document with what the model said of one piece. Nothing is an error, and the piece waits for a retry. */
export function withSummary(
  document: Document,
  level: number,
  at: number,
  { content, simulated }: { content: string; simulated: boolean },
): Document {
  const summary = content.trim();
  if (summary !== '') return withPart(document, level, at, { state: 'done', summary, simulated });
  const error = new TempoError(
    'engine_failed',
    'The model said nothing of a part of this text. Try again, or load another model.',
  );
  return { ...withPart(document, level, at, { state: 'waiting' }), error: error.toJSON() };
}

/** What was under way when the page was left is to be done again; so is all of what came to nothing. */
export function settled(document: Document): Document {
  if (document.levels.some((parts) => parts.length === 0)) return again(document);
  return {
    ...document,
    levels: document.levels.map((parts) =>
      parts.map((part) => (part.state === 'active' ? { ...part, state: 'waiting' } : part)),
    ),
  };
}

/** The pieces that say anything. */
function partsOf(text: string): Part[] {
  return chunk(text, PART_CHARACTERS)
    .filter((piece) => piece.trim() !== '')
    .map((piece) => ({ text: piece, state: 'waiting' }));
}
