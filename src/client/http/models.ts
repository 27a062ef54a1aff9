import type { EngineStatus } from '../../worker/protocol';
import type { Link } from '../link';
import type { Exchange } from './exchange';
import { Problem } from './problem';
import { jsonReply } from './reply';

/** OpenAI's `Model`. */
interface LoadedModel {
  id: string;
  object: 'model';
  /** Since when there may have been one in this page: Unix time, seconds. */
  created: number;
  owned_by: 'tempo';
  simulated: boolean;
}

/** `/v1/models`: the loaded models, or none. Waits for a load that is under way. */
export async function answerModels(exchange: Exchange): Promise<Response> {
  const data = await loaded(exchange.api.link);
  return jsonReply({ object: 'list', data }, exchange);
}

/** `/v1/models/{id}` */
export async function answerModel(exchange: Exchange): Promise<Response> {
  const { api, call } = exchange;
  const id = decoded(call.path.slice('/models/'.length));
  const models = await loaded(api.link);
  const model = models.find((one) => one.id === id);
  if (model !== undefined) return jsonReply(model, exchange);
  const there = models.map((one) => `"${one.id}"`).join(' and ') || 'none';
  throw new Problem(404, 'unknown_model', `Loaded is ${there}, not "${id}".`, { param: 'model' });
}

async function loaded(link: Link): Promise<LoadedModel[]> {
  await link.ready;
  const engine = await new Promise<EngineStatus | undefined>((resolve) => {
    const stop = link.onState((state) => {
      if (state.phase === 'loading' || state.phase === 'recovering') return;
      resolve(state.phase === 'ready' ? state.engine : undefined);
      queueMicrotask(() => stop()); // it may be this first call that knows
    });
  });
  if (engine === undefined) return [];
  const { model, kind, embeddingModels = [] } = engine;
  return [...new Set([model, ...embeddingModels])].map((id) => ({
    id,
    object: 'model',
    created: Math.floor(performance.timeOrigin / 1000),
    owned_by: 'tempo',
    simulated: kind === 'simulated',
  }));
}

/** A path's part as it was before it was put there; as it is, if it never was. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
