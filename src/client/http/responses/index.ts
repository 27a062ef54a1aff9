/** `/v1/responses`: stateless, on chat. */
import type { CompletionStream } from '../../completion-stream';
import { type Exchange, orderOf } from '../exchange';
import { Problem } from '../problem';
import { eventReply, wholeReply } from '../reply';
import { type ItemMemory, memoryOf } from './memory';
import { ResponseWriter } from './output';
import { chatOrderOf } from './request';
import type { ResponseEvent } from './types';

export async function answerResponses(exchange: Exchange): Promise<Response> {
  const { api } = exchange;
  const memory = memoryOf(api.link);
  const { body, chat } = await orderOf(exchange);
  const { params, settings, clientParam } = chatOrderOf(body, (id) => memory.recall(id));
  const stream = await chat(params, clientParam);
  const { state } = api.link;
  const engine = state.phase === 'ready' ? state.engine : undefined;
  const writer = new ResponseWriter(stream.id, engine, settings);
  const events = eventsOf(stream, writer, settings.keep ? memory : undefined);
  if (body.stream) return eventReply(serverSent(events, writer), stream.abort, exchange);
  const whole = async () => {
    for await (const _ of events); // to its end
    return writer.response;
  };
  return wholeReply(whole, stream.abort, exchange);
}

async function* eventsOf(
  stream: CompletionStream,
  writer: ResponseWriter,
  memory: ItemMemory | undefined,
): AsyncGenerator<ResponseEvent, void, undefined> {
  yield* writer.begin();
  for await (const chunk of stream) yield* writer.take(chunk);
  if (stream.usage === undefined) return; // nobody reads on
  yield* writer.end(stream.usage);
  memory?.remember(writer.response.output);
}

async function* serverSent(
  events: AsyncIterable<ResponseEvent>,
  writer: ResponseWriter,
): AsyncGenerator<string, void, undefined> {
  let number = 0;
  const text = ({ type, ...event }: ResponseEvent) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number++, ...event })}\n\n`;
  try {
    for await (const event of events) yield text(event);
  } catch (thrown) {
    for (const event of writer.fail(Problem.from(thrown))) yield text(event);
  }
}
