/** What `reload` asks for, as a load of Tempo's. */
import type { LoadConfig } from '../client';
import { type AppConfig, type ChatOptions, ModelType } from './config-types';
import { WebLLMError } from './errors';
import { warnOnce } from './log';

/** The models of a load. */
export interface LoadPlan {
  /** In the order in which they were named. */
  ids: readonly string[];
  chat: string | undefined;
  embeddings: readonly string[];
  settings: Required<Pick<LoadConfig, 'appConfig' | 'chatOptions'>>;
}

/**
 * Throws by WebLLM's names what it would not load, and `TooManyChatModelsError` for more than one chat
 * model: Tempo serves one, to everybody. `anyName`: models need not be in the list.
 */
export function planLoad(
  modelId: string | string[],
  chatOpts: ChatOptions | ChatOptions[] | undefined,
  appConfig: AppConfig,
  anyName: boolean,
): LoadPlan {
  const ids = Array.isArray(modelId) ? modelId : [modelId];
  const options = chatOpts === undefined || Array.isArray(chatOpts) ? chatOpts : [chatOpts];
  if (ids.length === 0 || ids.some((id) => typeof id !== 'string' || id === '')) {
    throw new WebLLMError('TypeError', 'invalid_request', 'A model is named by its id.', {
      param: 'modelId',
    });
  }
  if (options !== undefined && options.length !== ids.length) {
    throw new WebLLMError(
      'ReloadArgumentSizeUnmatchedError',
      'invalid_request',
      `There must be as many chatOpts as models, got ${options.length} for ${ids.length}.`,
      { param: 'chatOpts' },
    );
  }
  if (new Set(ids).size < ids.length) {
    throw new WebLLMError(
      'ReloadModelIdNotUniqueError',
      'invalid_request',
      `A model can be loaded once: ${ids.join(', ')}.`,
      { param: 'modelId' },
    );
  }
  const records = ids.map((id) => recordOf(id, appConfig, anyName));
  const embeds = (i: number) => records[i]?.model_type === ModelType.embedding;
  const chats = ids.filter((_, i) => !embeds(i));
  if (chats.length > 1) {
    throw new WebLLMError(
      'TooManyChatModelsError',
      'unsupported',
      `Tempo serves one chat model to all callers, and embedding models beside it; ${chats.join(' and ')} are chat models. Load one of them, or make an engine for each.`,
      { param: 'modelId' },
    );
  }
  const own = options?.map((one) => one ?? {});
  const listed = listedConfig(appConfig);
  const list = listed.model_list.map((record) => {
    const at = ids.indexOf(record.model_id);
    return embeds(at) ? { ...record, overrides: { ...record.overrides, ...own?.[at] } } : record;
  });
  return {
    ids,
    chat: chats[0],
    embeddings: ids.filter((_, i) => embeds(i)),
    settings: {
      appConfig: { ...listed, model_list: list },
      chatOptions: chatOptionsOf(own?.[ids.findIndex((_, i) => !embeds(i))] ?? {}),
    },
  };
}

/** A model's entry; undefined for one that is not in the list where it need not be. */
export function recordOf(id: string, { model_list: list }: AppConfig, anyName: boolean) {
  const record = list.find(({ model_id }) => model_id === id);
  if (record !== undefined || anyName) return record;
  throw new WebLLMError(
    'ModelNotFoundError',
    'unknown_model',
    `There is no model "${id}" in appConfig.model_list (default: prebuiltAppConfig).`,
    { param: 'modelId' },
  );
}

/** The list as Tempo takes it. Pages keep notes of their own in theirs. */
export function listedConfig({ model_list: list, cacheBackend, opfsAccessMode }: AppConfig) {
  const models = list.map((record) => ({ ...record, model: absolute(record.model) }));
  return { model_list: models, cacheBackend, opfsAccessMode };
}

/** WebLLM takes an address of the page's own server without the server. */
function absolute(address: string): string {
  if (URL.canParse(address) || globalThis.location === undefined) return address;
  return new URL(address, globalThis.document?.baseURI ?? location.href).href;
}

/** What WebLLM heeds of a model's configuration; it takes no notice of anything else. */
const CHAT_OPTIONS = new Set([
  ...['context_window_size', 'sliding_window_size', 'attention_sink_size', 'max_history_size'],
  ...['temperature', 'top_p', 'repetition_penalty', 'frequency_penalty', 'presence_penalty'],
  ...['conv_template', 'conv_config', 'tokenizer_files', 'tokenizer_info', 'vocab_size'],
  ...['token_table_postproc_method', 'bos_token_id', 'model_type', 'model_config'],
]);

function chatOptionsOf(options: ChatOptions): ChatOptions {
  const entries = Object.entries(options).filter(([name]) => {
    if (!CHAT_OPTIONS.has(name)) warnOnce(`chatOpts.${name} is ignored: nothing heeds it.`);
    return CHAT_OPTIONS.has(name);
  });
  return Object.fromEntries(entries);
}
