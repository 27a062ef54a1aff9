/** `/v1/chat/completions` and `/v1/completions`: the body is a request, the answer is its answer. */
import { textOf } from '../text-completions';
import { type Exchange, orderOf } from './exchange';
import { Problem } from './problem';
import { eventReply, wholeReply } from './reply';

export async function answerChat(exchange: Exchange): Promise<Response> {
  const { body, chat } = await orderOf(exchange);
  return answered(await chat(body), body.stream, exchange);
}

export async function answerText(exchange: Exchange): Promise<Response> {
  const { body, text } = await orderOf(exchange);
  return answered(textOf(await text(body)), body.stream, exchange);
}

interface AnswerStream extends AsyncIterable<unknown> {
  final(): Promise<unknown>;
  abort(): void;
}

function answered(
  stream: AnswerStream,
  inPieces: unknown,
  exchange: Exchange,
): Response | Promise<Response> {
  const abort = () => stream.abort();
  if (!inPieces) return wholeReply(() => stream.final(), abort, exchange);
  return eventReply(chunkEvents(stream), abort, exchange);
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
