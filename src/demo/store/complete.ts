import {
  type ChatCompletionParams,
  type Completions,
  TempoError,
  type TempoErrorJson,
  type ToolCall,
  type Usage,
} from '../../client';

/** A whole answer. */
export interface Reply {
  content: string;
  toolCalls: ToolCall[];
  usage: Usage;
  simulated: boolean;
}

interface CompleteOptions {
  signal?: AbortSignal;
  /** Called once it is queued, with the request's id. */
  onStart?: (id: string) => void;
  /** Called as the answer grows, and once it is whole, with what there is of it. */
  onProgress?: (reply: Pick<Reply, 'content' | 'simulated'>) => void;
  /** Called while the request is queued, with its expected wait, ms. */
  onQueued?: (estimatedWaitMs: number) => void;
}

const WAIT_TOLD_EVERY_MS = 1000;
/** Text that grows faster than this is not read any faster, ms. */
const PROGRESS_EVERY_MS = 40;

/**
 * One streamed call, told as it comes. A model that thinks answers at once: what the page allows an answer
 * would be used up by the thoughts, which it does not show. Throws a TempoError.
 */
export async function complete(
  completions: Completions,
  params: ChatCompletionParams,
  { signal, onStart, onProgress, onQueued }: CompleteOptions = {},
): Promise<Reply> {
  const stream = await completions.create(
    { extra_body: { enable_thinking: false }, ...params, stream: true },
    { signal },
  );
  onStart?.(stream.id);
  const tellWait = () => onQueued?.(stream.estimatedWaitMs);
  tellWait();
  const waiting = setInterval(tellWait, WAIT_TOLD_EVERY_MS);
  let toldAt = Number.NEGATIVE_INFINITY;
  let content = '';
  try {
    for await (const { choices, simulated } of stream) {
      clearInterval(waiting);
      content += choices[0]?.delta.content ?? '';
      const now = performance.now();
      if (now - toldAt < PROGRESS_EVERY_MS) continue;
      toldAt = now;
      onProgress?.({ content, simulated });
    }
  } finally {
    clearInterval(waiting);
  }
  const { choices, usage, simulated } = await stream.final();
  onProgress?.({ content, simulated });
  return { content, toolCalls: choices[0].message.tool_calls ?? [], usage, simulated };
}

/** An answer of nothing is no answer: a model that thinks may have used up what it was allowed. */
export function noAnswer(): TempoError {
  return new TempoError(
    'engine_failed',
    'The model gave no answer. Try again, or load another model.',
  );
}

/** Anything thrown, as the error a panel shows. */
export function errorOf(thrown: unknown): TempoErrorJson {
  const error = TempoError.from(thrown).toJSON();
  return MODULE_ERROR.test(error.message)
    ? {
        code: 'network',
        message:
          'A part of this page could not be fetched. Look whether you are online, then try again.',
      }
    : error;
}

/** What browsers say of a module that they cannot fetch: Chromium, Firefox, Safari. */
const MODULE_ERROR =
  /dynamically imported module|importing a module script failed|error loading.*module/i;

/** Whether it was the reader who stopped it. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
