/** The list of models, and what the browser keeps of each. Nothing here needs a GPU. */
import { TempoError } from '../../scheduler';
import type { AppConfig, ModelRecord } from './app-config';
import { type ArtifactStore, artifactStore } from './artifact-store';
import {
  type CacheScope,
  chatConfigFile,
  libraryFile,
  libraryUrl,
  type ModelFile,
  modelFolder,
  packageManifest,
  type Shard,
  shardListFile,
  shardsOf,
  sharingWeights,
  tokenizerFile,
} from './model-files';
import type {
  DownloadEstimate,
  ModelInfo,
  ModelPart,
  ModelSize,
  ModelStorage,
} from './model-types';
import { roomFor, storageEstimate } from './quota';
import { appConfigOr, kindOf, modelRecord, requiredFeatures } from './webllm-module';

/** `vram_required_MB` of WebLLM's list: what `utils/vram_requirements` of its source divides by. */
const VRAM_MB = 2 ** 20;

/** Every model of the list: WebLLM's own where none is given. */
export async function listModels(given?: AppConfig): Promise<ModelInfo[]> {
  const appConfig = await appConfigOr(given);
  const shelf = await Shelf.open(appConfig);
  return Promise.all(
    appConfig.model_list.map(async (record) => {
      const { state, weights } = await shelf.look(record);
      return { ...infoOf(record), cached: state, downloadBytes: weights && total(weights) };
    }),
  );
}

/** What is kept of those models of which anything is; of one alone where `model` names it, even if nothing. */
export async function storedModels(model?: string, given?: AppConfig): Promise<ModelStorage[]> {
  const appConfig = await appConfigOr(given);
  const records =
    model === undefined ? appConfig.model_list : [modelRecord(appConfig, model, 'id')];
  const shelf = await Shelf.open(appConfig);
  const stored = await Promise.all(
    records.map(async (record) => {
      const { state, weights, kept } = await shelf.look(record);
      const shards = kept.filter((file) => 'bytes' in file).length;
      return {
        id: record.model_id,
        cached: state,
        bytes: state === 'none' ? 0 : await shelf.bytes(kept),
        shards: { cached: shards, total: weights?.length },
        sharedWith: sharingWeights(appConfig, record),
      };
    }),
  );
  return model === undefined ? stored.filter(({ cached }) => cached !== 'none') : stored;
}

/** What the model's download comes to. Asks its server: for the list of its weights, and for sizes. */
export async function modelSize(model: string, given?: AppConfig): Promise<ModelSize> {
  const appConfig = await appConfigOr(given);
  const record = modelRecord(appConfig, model, 'id');
  const { shards, files } = await askFor(record);
  const [libraryBytes, ...others] = await Promise.all(
    [libraryUrl(record), ...files.map(({ url }) => url)].map(sizeOf),
  );
  const weightBytes = total(shards);
  const bytes = [libraryBytes, ...others].reduce((sum: number, n) => sum + (n ?? 0), weightBytes);
  return { id: model, bytes, weightBytes, libraryBytes };
}

/** What of the model is still to be downloaded, and whether it fits. May ask its server, for lack of its list. */
export async function estimateModel(model: string, given?: AppConfig): Promise<DownloadEstimate> {
  const appConfig = await appConfigOr(given);
  const record = modelRecord(appConfig, model, 'id');
  const shelf = await Shelf.open(appConfig);
  const { weights } = await shelf.look(record);
  const missing = (weights ?? (await askFor(record)).shards).filter((shard) => !shelf.has(shard));
  const downloadBytes = total(missing);
  const { quota, usage } = await storageEstimate();
  const room = await roomFor(downloadBytes);
  const storage = (globalThis.navigator as Partial<Navigator> | undefined)?.storage;
  return {
    id: model,
    downloadBytes,
    quotaBytes: quota,
    usageBytes: usage,
    fits: room === undefined ? undefined : room >= downloadBytes,
    persisted: (await storage?.persisted?.().catch(() => false)) ?? false,
  };
}

const SCOPES: Readonly<Record<ModelPart, CacheScope>> = {
  weights: 'webllm/model',
  library: 'webllm/wasm',
  configuration: 'webllm/config',
};

/**
 * Deletes what is kept of a model, weights that others share included, or one part of it; with all of it
 * its library stays where another model that is kept has the same. Returns the bytes that are free now.
 * Never asks the network.
 */
export async function deleteModel(
  model: string,
  given?: AppConfig,
  part?: ModelPart,
): Promise<number> {
  const appConfig = await appConfigOr(given);
  const record = modelRecord(appConfig, model, 'id');
  const shelf = await Shelf.open(appConfig);
  const { kept } = await shelf.look(record);
  const library = libraryFile(record);
  const needed = part === undefined && (await shelf.libraryNeeded(record));
  const going = kept.filter(
    ({ scope, url }) =>
      (part === undefined || scope === SCOPES[part]) && !(needed && url === library?.url),
  );
  const bytes = await shelf.bytes(going);
  await Promise.all(going.map((file) => shelf.store.delete(file)));
  return bytes;
}

/** What of a model is kept. */
interface Look {
  state: ModelInfo['cached'];
  /** Undefined where the list of weights is not kept. */
  weights: Shard[] | undefined;
  kept: (ModelFile | (ModelFile & Shard))[];
}

/** What a backend keeps, looked at once. */
class Shelf {
  readonly store: ArtifactStore;
  readonly #appConfig: AppConfig;
  readonly #addresses: Record<CacheScope, Set<string>>;

  private constructor(
    store: ArtifactStore,
    appConfig: AppConfig,
    addresses: Record<CacheScope, Set<string>>,
  ) {
    this.store = store;
    this.#appConfig = appConfig;
    this.#addresses = addresses;
  }

  static async open(appConfig: AppConfig): Promise<Shelf> {
    const store = artifactStore(appConfig);
    const [model, config, wasm] = await Promise.all(
      (['webllm/model', 'webllm/config', 'webllm/wasm'] as const).map((scope) =>
        store.addresses(scope),
      ),
    );
    return new Shelf(store, appConfig, {
      'webllm/model': model,
      'webllm/config': config,
      'webllm/wasm': wasm,
    });
  }

  has(shard: Shard): boolean {
    return this.#addresses['webllm/model'].has(shard.url);
  }

  async look(record: ModelRecord): Promise<Look> {
    const folder = modelFolder(record);
    const library = libraryFile(record);
    const kept: Look['kept'] = this.#below(folder);
    if (library !== undefined && this.#keeps(library)) kept.push(library);
    if (this.#below(folder).length === 0) return { state: 'none', weights: undefined, kept };

    const packed = packageManifest(record);
    const manifest = packed && (await this.#json(packed));
    const configFile = chatConfigFile(record, manifest);
    const tokenizer = tokenizerFile(record, await this.#json(configFile));
    const list = shardListFile(record, manifest);
    const weights = this.#keeps(list) ? shardsOf(await this.store.json(list), list.url) : undefined;
    const sized = new Map(weights?.map((shard) => [shard.url, shard]));
    const files = [packed, configFile, list, library].filter((file) => file !== undefined);
    const complete =
      tokenizer !== undefined &&
      [...files, tokenizer].every((file) => this.#keeps(file)) &&
      weights?.every((shard) => this.has(shard)) === true;
    return {
      state: complete ? 'complete' : 'partial',
      weights,
      kept: kept.map((file) => ({ ...file, ...sized.get(file.url) })),
    };
  }

  async bytes(kept: Look['kept']): Promise<number> {
    const sizes = await Promise.all(
      kept.map((file) => ('bytes' in file ? file.bytes : this.store.bytes(file))),
    );
    return sizes.reduce((sum: number, bytes) => sum + (bytes ?? 0), 0);
  }

  /** Another model that is kept has the same library. */
  async libraryNeeded(record: ModelRecord): Promise<boolean> {
    return this.#appConfig.model_list.some(
      (other) =>
        other.model_lib === record.model_lib &&
        modelFolder(other) !== modelFolder(record) &&
        this.#below(modelFolder(other)).length > 0,
    );
  }

  #keeps({ scope, url }: ModelFile): boolean {
    return this.#addresses[scope].has(url);
  }

  async #json(file: ModelFile): Promise<unknown> {
    return this.#keeps(file) ? this.store.json(file) : undefined;
  }

  #below(folder: string): ModelFile[] {
    return (['webllm/model', 'webllm/config'] as const).flatMap((scope) =>
      [...this.#addresses[scope]]
        .filter((url) => url.startsWith(folder))
        .map((url) => ({ scope, url })),
    );
  }
}

function infoOf(record: ModelRecord): Omit<ModelInfo, 'cached'> {
  const { overrides = {}, vram_required_MB: vram } = record;
  const windows = [overrides.context_window_size, overrides.sliding_window_size];
  return {
    id: record.model_id,
    kind: kindOf(record),
    images: record.model_manifest === undefined ? kindOf(record) === 'vision' : undefined,
    contextWindow: windows.find((size) => size !== undefined && size > 0),
    requiredFeatures: requiredFeatures(record),
    vramBytes: vram === undefined ? undefined : Math.round(vram * VRAM_MB),
    lowResource: record.low_resource_required ?? false,
    url: modelFolder(record),
    libraryUrl: record.model_lib,
  };
}

/** A model's small files and its list of weights, from its server. */
async function askFor(record: ModelRecord): Promise<{ shards: Shard[]; files: ModelFile[] }> {
  const packed = packageManifest(record);
  const manifest = packed && (await fetchJson(packed.url));
  const configFile = chatConfigFile(record, manifest);
  const list = shardListFile(record, manifest);
  const [config, weights] = await Promise.all([fetchJson(configFile.url), fetchJson(list.url)]);
  const files = [packed, configFile, list, tokenizerFile(record, config)];
  return {
    shards: shardsOf(weights, list.url),
    files: files.filter((file) => file !== undefined),
  };
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await ask(url);
  try {
    return await response.json();
  } catch (cause) {
    throw new TempoError('network', `What is at ${url} is no JSON. Check the model's address.`, {
      cause,
    });
  }
}

/** Undefined where the server does not tell. */
async function sizeOf(url: string): Promise<number | undefined> {
  const response = await ask(url, 'HEAD').catch(() => undefined);
  const length = response?.headers.get('content-length');
  return length ? Number(length) : undefined;
}

async function ask(url: string, method = 'GET'): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { method });
  } catch (cause) {
    throw new TempoError(
      'network',
      `${url} cannot be reached. Check the connection, and that its server allows other origins (CORS).`,
      { cause },
    );
  }
  if (response.ok) return response;
  throw new TempoError('network', `The server answers ${response.status} for ${url}.`);
}

function total(shards: readonly Shard[]): number {
  return shards.reduce((sum, { bytes }) => sum + bytes, 0);
}
