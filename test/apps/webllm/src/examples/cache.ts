/** After WebLLM's cache-usage and integrity-verification. */
import * as webllm from '@mlc-ai/web-llm';
import { type Checks, equal, failure } from '../check';

const model = 'https://models.example/tiny';
const files = `${model}/resolve/main`;
const library = 'https://models.example/tiny.wasm';
const appConfig: webllm.AppConfig = {
  model_list: [{ model, model_id: 'tiny', model_lib: library }],
  cacheBackend: 'cache',
};

/** As WebLLM keeps a model's files. */
async function fill(): Promise<void> {
  const put = async (scope: string, address: string, body: string) =>
    (await caches.open(scope)).put(address, new Response(body));
  const record = { dataPath: 'params_shard_0.bin', format: 'raw-shard', nbytes: 4, records: [] };
  await put('webllm/config', `${files}/mlc-chat-config.json`, '{"tokenizer_files":[]}');
  const weights = { metadata: { ParamSize: 1 }, records: [record] };
  await put('webllm/model', `${files}/tensor-cache.json`, JSON.stringify(weights));
  await put('webllm/model', `${files}/params_shard_0.bin`, 'abcd');
  await put('webllm/wasm', library, 'wasm');
}

async function kept(): Promise<string[]> {
  const names = await caches.keys();
  const lists = names.map(async (name) => (await caches.open(name)).keys());
  return (await Promise.all(lists)).flat().map(({ url }) => url.replace(/^.*\//, ''));
}

export const cache: Checks = {
  'a model is known, and deleted with all its files': async () => {
    equal(await webllm.hasModelInCache('tiny', appConfig), false);
    await fill();
    equal(await webllm.hasModelInCache('tiny', appConfig), true);
    await webllm.deleteModelAllInfoInCache('tiny', appConfig);
    equal(await webllm.hasModelInCache('tiny', appConfig), false);
    equal(await kept(), []);
  },

  'its parts are deleted one by one': async () => {
    await fill();
    await webllm.deleteModelInCache('tiny', appConfig);
    equal((await kept()).sort(), ['mlc-chat-config.json', 'tiny.wasm']);
    await webllm.deleteChatConfigInCache('tiny', appConfig);
    equal(await kept(), ['tiny.wasm']);
    await webllm.deleteModelWasmInCache('tiny', appConfig);
    equal(await kept(), []);
  },

  'a file is checked against its hash': async () => {
    const data = new TextEncoder().encode('abcd').buffer;
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    const sri = `sha256-${btoa(String.fromCharCode(...hash))}`;
    await webllm.verifyIntegrity(data, sri, 'a.bin');
    const other = new TextEncoder().encode('abce').buffer;
    const error = await failure(webllm.verifyIntegrity(other, sri, 'a.bin'));
    equal(error instanceof webllm.IntegrityError && error.expected, sri);
  },
};
