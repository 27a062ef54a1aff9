import { type ChatSubmission, type Slo, TempoError, type TextSubmission } from '../worker/protocol';
import { checked } from './checked';
import { CompletionStream } from './completion-stream';
import { ended, signalOf } from './ended';
import type { Link } from './link';
import { randomId } from './random-id';
import type { RequestOptions } from './types';

/** Whose calls these are. */
export interface Caller {
  readonly app: string;
  slo: Slo;
  /** The program they belong to, once the server knows it. */
  program?: () => Promise<string>;
}

/** What is asked for. */
export type Asked =
  | Pick<ChatSubmission, 'kind' | 'params'>
  | Pick<TextSubmission, 'kind' | 'params'>;

/** More choices than a request may have are refused by the server; here they must not take memory. */
const MAX_CHOICES = 128;

/**
 * Submits a request, whose parameters are a copy already, and resolves to its answer's stream when the
 * server has queued it.
 */
export async function request(
  link: Link,
  caller: Caller,
  asked: Asked,
  options?: RequestOptions | null,
): Promise<CompletionStream> {
  const isText = asked.kind === 'text';
  const { n, stream_options: more, slo } = checked(asked.params, isText ? 'prompt' : 'messages');
  const signal = signalOf(options);
  if (signal?.aborted) throw ended(signal);
  const abort = () => {
    link.host.abort(stream.id).catch(() => {}); // a dead worker computes nothing
  };
  const stream = new CompletionStream({
    id: `${isText ? '' : 'chat'}cmpl-${randomId()}`,
    choices: Math.min(MAX_CHOICES, Number(n) || 1),
    includeUsage: more?.include_usage === true,
    abort,
  });
  const submit = async () => {
    await link.sendable();
    const { app, slo: own, program } = caller;
    const id = await program?.();
    if (!stream.open) return; // aborted meanwhile
    const envelope = { id: stream.id, app, slo: slo ?? own, program: id };
    const outcome = await link.host.submit({ ...asked, ...envelope });
    if (!outcome.ok) throw TempoError.fromJSON(outcome.error);
    if (stream.open) stream.accepted(outcome.value);
    else abort();
  };
  link.add(stream);
  if (signal) {
    const onAbort = () => {
      stream.fail(ended(signal));
      abort();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    stream.ended.then(() => signal.removeEventListener('abort', onAbort));
  }
  try {
    await Promise.race([submit(), stream.ended]);
  } catch (thrown) {
    stream.fail(TempoError.from(thrown, 'invalid_request'));
  }
  // Ended before it was queued: refused, aborted, or its worker died.
  if (stream.error) throw stream.error;
  return stream;
}
