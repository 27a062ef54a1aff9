/** The parts of a load that are handed on to WebLLM, without what is not set. */
import type { AppConfig, ChatOptions, ModelRecord } from '../../engine/webllm/app-config';
import type { ModelPart } from '../../engine/webllm/model-types';
import {
  alone,
  expect,
  type Fields,
  flag,
  isRecord,
  list,
  number,
  object,
  oneOf,
  type Reader,
  record,
  refused,
  wholeNumber,
} from './fields';

const name: Reader<string> = (value, at) => {
  expect(typeof value === 'string' && value !== '', at, `${at} must be a name`, value);
  return value;
};

/** WebLLM's are full addresses; a page has one for each of its own files. */
const address: Reader<string> = (value, at) => {
  const example = "new URL('models/mine/', location.href).href";
  const words = `${at} must be an absolute address (such as ${example})`;
  expect(typeof value === 'string' && URL.canParse(value), at, words, value);
  return value;
};

const tokens = number(
  'a whole number of tokens above 0, or -1 for none',
  (n) => Number.isInteger(n) && (n > 0 || n === -1),
);
const aboveZero = number('a number above 0', (n) => n > 0);
const penalty = number('between -2 and 2', (n) => n >= -2 && n <= 2);
const count = wholeNumber(0);

const CHAT_OPTIONS = {
  context_window_size: tokens,
  sliding_window_size: tokens,
  attention_sink_size: count,
  max_history_size: count,
  temperature: number('between 0 and 2', (n) => n >= 0 && n <= 2),
  top_p: number('above 0 and at most 1', (n) => n > 0 && n <= 1),
  repetition_penalty: aboveZero,
  frequency_penalty: penalty,
  presence_penalty: penalty,
  conv_template: record,
  conv_config: record,
  tokenizer_files: list(name),
  tokenizer_info: record,
  token_table_postproc_method: name,
  vocab_size: count,
  bos_token_id: count,
  model_type: name,
  model_config: record,
};

/** WebLLM's options are what it says of a template and a tokenizer, which it reads itself. */
export const chatOptions: Reader<ChatOptions> = (value, at, reading) =>
  object(CHAT_OPTIONS)(value, at, reading) as ChatOptions;

const MODEL = {
  model: address,
  model_id: name,
  model_lib: name,
  overrides: noted(CHAT_OPTIONS),
  vram_required_MB: aboveZero,
  low_resource_required: flag,
  buffer_size_required_bytes: aboveZero,
  required_features: list(name),
  model_type: number('0 (chat), 1 (embedding) or 2 (vision)', (n) => [0, 1, 2].includes(n)),
  integrity: record,
  model_manifest: name,
};

const model = noted(MODEL, ['model', 'model_id', 'model_lib']);

const APP_CONFIG = object(
  {
    model_list: list(model),
    cacheBackend: oneOf('cache', 'indexeddb', 'cross-origin', 'opfs'),
    opfsAccessMode: oneOf('async', 'sync', 'auto'),
    useIndexedDBCache: refused("it is an older WebLLM's; use cacheBackend: 'indexeddb'."),
  },
  ['model_list'],
);

export const appConfig: Reader<AppConfig> = (value, at, reading) => {
  const { model_list: models, ...rest } = APP_CONFIG(value, at, reading);
  const ids = models.map(({ model_id: id }) => id);
  for (const [i, id] of ids.entries()) {
    const param = `${at}.model_list[${i}].model_id`;
    expect(ids.indexOf(id) === i, param, `${param} must be a name that no other has`, id);
  }
  return { ...rest, model_list: models as ModelRecord[] };
};

export const embeddingModels: Reader<string[]> = (value, at, reading) => {
  const names = list(name)(value, at, reading);
  for (const [i, id] of names.entries()) {
    expect(names.indexOf(id) === i, `${at}[${i}]`, `${at}[${i}] must be named once`, id);
  }
  return names;
};

/** WebLLM's configuration; undefined where there is none. */
export function readAppConfig(value: unknown): AppConfig | undefined {
  return value === undefined || value === null ? undefined : alone(appConfig, value, 'appConfig');
}

/** A model's id. */
export function readModelId(value: unknown): string {
  return alone(name, value, 'id');
}

const modelPart = oneOf('weights', 'library', 'configuration');

/** Undefined for all of a model. */
export function readModelPart(value: unknown): ModelPart | undefined {
  return value === undefined || value === null ? undefined : alone(modelPart, value, 'part');
}

/** An object with these fields, and others that are its owner's own affair. */
function noted<T extends Parameters<typeof object>[0], R extends string & keyof T = never>(
  table: T,
  required: readonly R[] = [],
): Reader<Fields<T, R>> {
  const known = object(table, required);
  return (value, at, reading) => {
    expect(isRecord(value), at, `${at} must be an object`, value);
    const entries = Object.entries(value).filter(([, field]) => (field ?? null) !== null);
    const [ours, others] = [true, false].map((is) =>
      Object.fromEntries(entries.filter(([field]) => Object.hasOwn(table, field) === is)),
    );
    return { ...others, ...known(ours, at, reading) };
  };
}
