/** What a generation gives, in the shape of WebLLM's chat completions and texts. */
import type { ChatCompletion, ChatCompletionChunk } from './chat-types';
import type { Completion } from './completion-types';
import type { Generation } from './generation';
import type { Piece } from './piece';

/** What the caller asked for, as far as the answer's shape depends on it. */
export interface Asked {
  logprobs: boolean;
  includeUsage: boolean;
}

/** A chat answer, once it is whole. */
export async function chatCompletion(
  generation: Generation,
  { logprobs }: Asked,
): Promise<ChatCompletion> {
  const usage = await generation.usage();
  return {
    ...headOf(generation),
    object: 'chat.completion',
    choices: generation.answers.map((answer, index) => ({
      index,
      finish_reason: answer.finish ?? 'abort',
      logprobs: logprobs ? { content: answer.logprobs } : null,
      message: {
        role: 'assistant',
        content: answer.calls.length > 0 && answer.text === '' ? null : answer.text,
        ...(answer.calls.length > 0 && { tool_calls: answer.calls }),
      },
    })),
    usage,
  };
}

/**
 * A chat answer as it comes. As in WebLLM, text comes in chunks with the role and an end of `{}`, and tool
 * calls come whole, at the end.
 */
export async function* chatChunks(
  generation: Generation,
  asked: Asked,
): AsyncGenerator<ChatCompletionChunk, void, undefined> {
  yield* chunks<'chat.completion.chunk', ChatCompletionChunk['choices'][number]>(
    generation,
    asked,
    'chat.completion.chunk',
    ({ index, text }, content) => {
      const delta = { content: text, role: 'assistant' as const };
      return { delta, finish_reason: null, index, logprobs: content };
    },
    (index, finish) => {
      const { calls } = generation.answers[index];
      const whole = calls.map((call, at) => ({ index: at, ...call }));
      const delta = whole.length > 0 ? { role: 'assistant' as const, tool_calls: whole } : {};
      return { delta, finish_reason: finish, index };
    },
  );
}

/** A text, once it is whole; `opening` is what it begins with. */
export async function completion(
  generation: Generation,
  { logprobs }: Asked,
  opening: string,
): Promise<Completion> {
  const usage = await generation.usage();
  return {
    ...headOf(generation),
    object: 'text_completion',
    choices: generation.answers.map((answer, index) => ({
      index,
      finish_reason: answer.finish ?? 'abort',
      logprobs: logprobs ? { content: answer.logprobs } : null,
      text: opening + answer.text,
    })),
    usage,
  };
}

/** A text as it comes. */
export async function* completionChunks(
  generation: Generation,
  asked: Asked,
): AsyncGenerator<Completion, void, undefined> {
  yield* chunks<'text_completion', Completion['choices'][number]>(
    generation,
    asked,
    'text_completion',
    ({ index, text }, content) => ({ text, finish_reason: null, index, logprobs: content }),
    (index, finish) => ({ text: '', finish_reason: finish, index }),
  );
}

/** Chunks of one kind: with the text that has come, and with the end of each choice. */
async function* chunks<Kind extends string, Choice>(
  generation: Generation,
  { logprobs, includeUsage }: Asked,
  object: Kind,
  saying: (piece: Piece, logprobs: { content: Piece['logprobs'] } | null) => Choice,
  ending: (index: number, finish: NonNullable<Piece['finish']>) => Choice,
) {
  const chunk = (choices: Choice[]) => ({ ...headOf(generation), object, choices });
  for await (const event of generation.events()) {
    if ('usage' in event) {
      if (includeUsage) yield { ...chunk([]), usage: event.usage };
      return;
    }
    const { piece } = event;
    if (says(piece, logprobs)) {
      yield chunk([saying(piece, logprobs ? { content: piece.logprobs } : null)]);
    }
    if (piece.finish !== null) yield chunk([ending(piece.index, piece.finish)]);
  }
}

/** There is something in it to tell; a token whose character is not whole says nothing yet. */
function says({ text, logprobs }: Piece, tellsLogprobs: boolean): boolean {
  return text !== '' || (tellsLogprobs && logprobs.length > 0);
}

function headOf({ id, created, model, simulated }: Generation) {
  return { id, created, model, simulated };
}

/** Chunks for their reader. Leaving off early, even before the first, ends the generation. */
export function leavable<T>(
  chunks: AsyncGenerator<T, void, undefined>,
  generation: Generation,
): AsyncGenerator<T, void, undefined> {
  return Object.assign(chunks, {
    return: leave(generation, chunks.return.bind(chunks)),
    throw: leave(generation, chunks.throw.bind(chunks)),
  });
}

function leave<A extends unknown[], R>(generation: Generation, end: (...args: A) => R) {
  return (...args: A): R => {
    generation.interrupt();
    return end(...args);
  };
}
