import type { AppConfig, ModelRecord } from './app-config';

/** WebLLM's caches, by what it keeps in each. */
export type CacheScope = 'webllm/model' | 'webllm/config' | 'webllm/wasm';

/** A file of a model's, and the cache that WebLLM looks for it in. */
export interface ModelFile {
  readonly scope: CacheScope;
  readonly url: string;
}

/** One file of weights, as the list of them (`tensor-cache.json`) has it. */
export interface Shard {
  readonly url: string;
  readonly bytes: number;
}

/** How WebLLM 0.2.86 builds its addresses, so that what is kept is found. */
export function modelFolder({ model }: ModelRecord): string {
  const folder = model.endsWith('/') ? model : `${model}/`;
  return new URL(/.+\/resolve\/.+\//.test(folder) ? folder : `${folder}resolve/main/`).href;
}

/** A model that is packed with a manifest says in it where its other files are. */
export function packageManifest(record: ModelRecord): ModelFile | undefined {
  const { model_manifest: name } = record;
  return name === undefined
    ? undefined
    : { scope: 'webllm/config', url: new URL(name, modelFolder(record)).href };
}

/** `mlc-chat-config.json`; `manifest` is what `packageManifest` holds. */
export function chatConfigFile(record: ModelRecord, manifest: unknown): ModelFile {
  const name = text(field(manifest, 'chat_config')) ?? 'mlc-chat-config.json';
  return { scope: 'webllm/config', url: new URL(name, modelFolder(record)).href };
}

/** The list of the weights' files. */
export function shardListFile(record: ModelRecord, manifest: unknown): ModelFile {
  const name = text(field(field(manifest, 'weights'), 'manifest')) ?? 'tensor-cache.json';
  const folder = new URL('.', new URL(name, modelFolder(record)));
  return { scope: 'webllm/model', url: new URL('tensor-cache.json', folder).href };
}

/** The one tokenizer file that WebLLM reads, by the chat configuration. */
export function tokenizerFile(record: ModelRecord, chatConfig: unknown): ModelFile | undefined {
  const files = field(chatConfig, 'tokenizer_files');
  const name = ['tokenizer.json', 'tokenizer.model'].find(
    (known) => Array.isArray(files) && files.includes(known),
  );
  return name === undefined
    ? undefined
    : { scope: 'webllm/model', url: new URL(name, modelFolder(record)).href };
}

/** The library, unless WebLLM leaves it to the browser: those of localhost and of the page's own server. */
export function libraryFile({ model_lib: url }: ModelRecord): ModelFile | undefined {
  const kept = url.startsWith('http') && !url.includes('localhost');
  return kept ? { scope: 'webllm/wasm', url: new URL(url).href } : undefined;
}

/** A library's address in full; WebLLM takes one of the page's own server without the server. */
export function libraryUrl({ model_lib: url }: ModelRecord): string {
  return url.startsWith('http') ? url : new URL(url, globalThis.location?.origin).href;
}

/** The weights' files in `tensor-cache.json`, which is at `url`; throws where it is no such list. */
export function shardsOf(list: unknown, url: string): Shard[] {
  const records = field(list, 'records');
  if (!Array.isArray(records)) throw new Error(`${url} is no list of weights.`);
  return records.map((record: unknown) => {
    const path = text(field(record, 'dataPath'));
    const bytes = field(record, 'nbytes');
    if (path === undefined || typeof bytes !== 'number') {
      throw new Error(`${url} is no list of weights.`);
    }
    return { url: new URL(path, url).href, bytes };
  });
}

/** Models of the list that have this one's weights. */
export function sharingWeights({ model_list: list }: AppConfig, record: ModelRecord): string[] {
  const folder = modelFolder(record);
  return list
    .filter((other) => other !== record && modelFolder(other) === folder)
    .map(({ model_id }) => model_id);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
