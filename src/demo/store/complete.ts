import {
  type ChatCompletionParams,
  type ChatFinishReason,
  type Completions,
  TempoError,
  type TempoErrorJson,
  type ToolCall,
  type Usage,
} from '../../client';
import { history } from './live';

/** An answer, as far as it has come. */
export interface Reply {
  id: string;
  content: string;
  toolCalls: ToolCall[];
  finishReason?: ChatFinishReason;
  usage?: Usage;
  simulated: boolean;
}

interface CompleteOptions {
  signal?: AbortSignal;
  /** Called as the answer grows, and once it is whole; with the same object each time. */
  onProgress?: (reply: Readonly<Reply>) => void;
  /** Called while the request is queued, with its expected wait, ms. */
  onQueued?: (estimatedWaitMs: number) => void;
}

const WAIT_TOLD_EVERY_MS = 1000;
/** Text that grows faster than this is not read any faster, ms. */
const PROGRESS_EVERY_MS = 40;

/** One streamed call, gathered. How it fared is marked on the timeline. Throws a TempoError. */
export async function complete(
  completions: Completions,
  params: ChatCompletionParams,
  { signal, onProgress, onQueued }: CompleteOptions = {},
): Promise<Reply> {
  const stream = await completions.create(
    { ...params, stream: true, stream_options: { include_usage: true } },
    { signal },
  );
  const tellWait = () => onQueued?.(stream.estimatedWaitMs);
  tellWait();
  const waiting = setInterval(tellWait, WAIT_TOLD_EVERY_MS);
  let toldAt = Number.NEGATIVE_INFINITY;
  const reply: Reply = { id: stream.id, content: '', toolCalls: [], simulated: false };
  try {
    for await (const chunk of stream) {
      clearInterval(waiting);
      reply.simulated = chunk.simulated;
      if (chunk.usage) reply.usage = chunk.usage;
      for (const { delta, finish_reason } of chunk.choices) {
        reply.content += delta.content ?? '';
        for (const call of delta.tool_calls ?? []) {
          reply.toolCalls[call.index] ??= {
            id: call.id ?? `call-${call.index}`,
            type: 'function',
            function: { name: '', arguments: '' },
          };
          const { function: made } = reply.toolCalls[call.index];
          made.name += call.function?.name ?? '';
          made.arguments += call.function?.arguments ?? '';
        }
        if (finish_reason) reply.finishReason = finish_reason;
      }
      const now = performance.now();
      if (now - toldAt < PROGRESS_EVERY_MS) continue;
      toldAt = now;
      onProgress?.(reply);
    }
    onProgress?.(reply);
  } finally {
    clearInterval(waiting);
    history.ended(reply.id, reply.usage?.extra.slo_met);
  }
  return reply;
}

/** Anything thrown, as the error a panel shows. */
export function errorOf(thrown: unknown): TempoErrorJson {
  return TempoError.from(thrown).toJSON();
}

/** Whether it was the reader who stopped it. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
