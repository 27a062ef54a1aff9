/** `/v1/embeddings`: the body is a request, the answer is its answer. */
import { type Exchange, orderOf } from './exchange';
import { jsonReply } from './reply';

export async function answerEmbeddings(exchange: Exchange): Promise<Response> {
  const { body, embeddings } = await orderOf(exchange);
  return jsonReply(await embeddings(body), exchange);
}
