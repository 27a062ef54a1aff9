/** What the browser keeps of models: WebLLM's functions, which need no engine. */
import { createTempo, type Models, type Tempo, TempoError } from '../client';
import type { AppConfig } from './config-types';
import { checkedAppConfig } from './engine-config';
import { loadError } from './errors';
import { liveModels } from './live-engines';
import { listedConfig, recordOf } from './load-plan';

/** A worker that is asked nothing any more is kept so long, ms: pages ask about one model after the other. */
const KEPT_MS = 5000;

/**
 * Whether all of a model's weights are kept. Throws `ModelNotFoundError`; all of these do, where the list
 * has no such model.
 */
export async function hasModelInCache(modelId: string, appConfig?: AppConfig): Promise<boolean> {
  const { shards } = await ask(modelId, appConfig, (models) => models.storage(modelId));
  return shards.total !== undefined && shards.cached >= shards.total;
}

/** Deletes all that is kept of a model; its library stays where another that is kept has the same. */
export async function deleteModelAllInfoInCache(
  modelId: string,
  appConfig?: AppConfig,
): Promise<void> {
  await ask(modelId, appConfig, (models) => models.delete(modelId));
}

/** Deletes a model's weights and tokenizer. */
export async function deleteModelInCache(modelId: string, appConfig?: AppConfig): Promise<void> {
  await ask(modelId, appConfig, (models) => models.delete(modelId, 'weights'));
}

/** Deletes a model's configuration (`mlc-chat-config.json`). */
export async function deleteChatConfigInCache(
  modelId: string,
  appConfig?: AppConfig,
): Promise<void> {
  await ask(modelId, appConfig, (models) => models.delete(modelId, 'configuration'));
}

/** Deletes a model's library, for all models that have the same. */
export async function deleteModelWasmInCache(
  modelId: string,
  appConfig?: AppConfig,
): Promise<void> {
  await ask(modelId, appConfig, (models) => models.delete(modelId, 'library'));
}

/** Asks a server that is started for it, and loads nothing. */
async function ask<T>(
  modelId: string,
  given: AppConfig | undefined,
  question: (models: Models) => Promise<T>,
): Promise<T> {
  const appConfig = checkedAppConfig(given);
  recordOf(modelId, appConfig, false);
  const config = listedConfig(appConfig);
  const record = config.model_list.find(({ model_id: id }) => id === modelId);
  try {
    return await withTempo(config, (tempo) => question(tempo.models));
  } catch (thrown) {
    // Where the page may start no other worker, an engine has one perhaps, or is in this thread.
    const live = record && noWorker(thrown) ? liveModels(record, config) : undefined;
    if (live === undefined) throw loadError(thrown);
    return await question(live);
  }
}

function noWorker(thrown: unknown): boolean {
  const code = thrown instanceof TempoError ? thrown.code : undefined;
  return code === 'worker_unavailable' || code === 'unsupported';
}

interface Kept {
  key: string;
  tempo: Tempo;
  users: number;
  timer?: ReturnType<typeof setTimeout>;
}

let kept: Kept | undefined;

async function withTempo<T>(
  appConfig: ReturnType<typeof listedConfig>,
  use: (tempo: Tempo) => Promise<T>,
): Promise<T> {
  const key = JSON.stringify(appConfig);
  let mine = kept?.key === key ? kept : undefined;
  if (mine === undefined) {
    // It simulates, so it needs no GPU and downloads nothing; about models it knows the same.
    mine = { key, tempo: createTempo({ engine: 'simulated', appConfig }), users: 0 };
    if (kept?.users === 0) end(kept);
    kept = mine;
  }
  clearTimeout(mine.timer);
  mine.users++;
  try {
    await mine.tempo.ready;
    return await use(mine.tempo);
  } catch (thrown) {
    const error = TempoError.from(thrown);
    if (mine.tempo.state.phase === 'failed' && kept === mine) kept = undefined;
    throw error;
  } finally {
    mine.users--;
    if (mine.users === 0) settle(mine);
  }
}

/** Nobody asks it anything: it ends now where another took its place, else in a while. */
function settle(idle: Kept): void {
  if (kept !== idle) end(idle);
  else idle.timer = setTimeout(() => end(idle), KEPT_MS);
}

function end(idle: Kept): void {
  clearTimeout(idle.timer);
  if (kept === idle) kept = undefined;
  void idle.tempo.dispose();
}
