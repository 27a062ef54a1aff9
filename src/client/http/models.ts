import type { EngineStatus } from '../../worker/protocol';
import type { Link } from '../link';
import type { Exchange } from './exchange';
import { Problem } from './problem';
import { jsonReply } from './reply';

/** `/v1/models`: the loaded model, or none. Waits for a load that is under way. */
export async function answerModels(exchange: Exchange): Promise<Response> {
  const engine = await loaded(exchange.api.link);
  const data = engine === undefined ? [] : [modelOf(engine)];
  return jsonReply({ object: 'list', data }, exchange);
}

/** `/v1/models/{id}` */
export async function answerModel(exchange: Exchange): Promise<Response> {
  const { api, call } = exchange;
  const id = decoded(call.path.slice('/models/'.length));
  const engine = await loaded(api.link);
  if (engine?.model === id) return jsonReply(modelOf(engine), exchange);
  const there =
    engine === undefined ? 'No model is loaded' : `The loaded model is "${engine.model}"`;
  throw new Problem(404, 'unknown_model', `${there}, not "${id}".`, { param: 'model' });
}

async function loaded(link: Link): Promise<EngineStatus | undefined> {
  await link.ready;
  return new Promise((resolve) => {
    const stop = link.onState((state) => {
      if (state.phase === 'loading' || state.phase === 'recovering') return;
      resolve(state.phase === 'ready' ? state.engine : undefined);
      queueMicrotask(() => stop()); // it may be this first call that knows
    });
  });
}

function modelOf({ model, kind }: EngineStatus) {
  return {
    id: model,
    object: 'model',
    /** Since when this page offers it at most: Unix time, seconds. */
    created: Math.floor(performance.timeOrigin / 1000),
    owned_by: 'tempo',
    simulated: kind === 'simulated',
  };
}

/** A path's part as it was before it was put there; as it is, if it never was. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
