/** `/v1/chat/completions` and `/v1/completions`: the body is a request, the answer is its answer. */
import { textOf } from '../text-completions';
import { type Exchange, orderOf } from './exchange';
import { Problem } from './problem';
import { eventReply, jsonReply } from './reply';

export async function answerChat(exchange: Exchange): Promise<Response> {
  const { body, chat } = await orderOf(exchange);
  const stream = await chat(body);
  if (!body.stream) return jsonReply(await stream.final(), exchange.requestId);
  return streamed(stream, stream.abort, exchange);
}

export async function answerText(exchange: Exchange): Promise<Response> {
  const { body, text } = await orderOf(exchange);
  const stream = textOf(await text(body));
  if (!body.stream) return jsonReply(await stream.final(), exchange.requestId);
  return streamed(stream, stream.abort, exchange);
}

function streamed(
  chunks: AsyncIterable<unknown>,
  cancel: () => void,
  { call, requestId }: Exchange,
): Response {
  return eventReply({ events: chunkEvents(chunks), cancel }, requestId, call.signal);
}

async function* chunkEvents(
  chunks: AsyncIterable<unknown>,
): AsyncGenerator<string, void, undefined> {
  try {
    for await (const chunk of chunks) yield `data: ${JSON.stringify(chunk)}\n\n`;
    yield 'data: [DONE]\n\n';
  } catch (thrown) {
    yield `data: ${JSON.stringify(Problem.from(thrown).body)}\n\n`;
  }
}
