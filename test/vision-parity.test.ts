/**
 * What our engines compute for prompts with images, against what WebLLM's own pipeline would: its code from
 * a request's messages to the forwards, cut out of its bundle, run on the same stand-in for the runtime.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dataUrl, installDecoder, picture, png } from '../src/engine/testing/png';
import { StandIn, type StandInOptions } from '../src/engine/testing/stand-in';
import type { TvmArray, TvmObject, TvmTensor } from '../src/engine/webllm/internals';
import type { ChatMessage } from '../src/server/chat-types';
import { VisionService } from './vision-service';

const BUNDLE = readFileSync(
  createRequire(import.meta.url).resolve('@mlc-ai/web-llm'),
  'utf8',
).replaceAll('\r\n', '\n');

const PIPELINE = BUNDLE.indexOf('\nclass LLMChatPipeline {');

function cut(start: string, end: string, after = 0): string {
  const from = BUNDLE.indexOf(`\n${start}`, after) + 1;
  const to = BUNDLE.indexOf(end, from);
  if (from > 0 && to > 0) return BUNDLE.slice(from, to + end.length);
  throw new Error(`WebLLM's bundle has no "${start}".`);
}

const METHODS = [
  'getInputData() {',
  'getTokensEmbeddings(inputTokens) {',
  'computeImageEmbedSize(imageHeight, imageWidth) {',
  'calculateResizeShape(imageHeight, imageWidth) {',
  'calculateCropShape(imageHeight, imageWidth) {',
  'getImageEmbeddings(inputImage) {',
  'embedAndForward(inputData, inputDataLen) {',
  // For models with a manifest.
  'getArtifactTextEmbeddings(inputTokens) {',
  'getArtifactImageEmbeddings(part) {',
  'static dtypeBytes(dtype) {',
  'sliceTensorRows(tensor, rowStart, rowCount) {',
  'getArtifactPromptSegments() {',
  'getArtifactPrefillChunks() {',
  'artifactPrefillAndForward(embeddings, tokenIds, modalityIds) {',
];

interface WebLlmCode {
  /** `LLMChatPipeline.forwardPrefill`. */
  prefill(parts: object, template: object, messages: readonly ChatMessage[]): Promise<void>;
  /** A pipeline's methods for models with a manifest. */
  withManifest(parts: object): object;
}

/** Made of the parts of the bundle. */
const webLlm = vm.runInThisContext(`(() => {
  const log = { info() {}, warn() {} };
  class MessageOrderError extends Error {}
  class SystemMessageOrderError extends Error {}
  class ContentTypeError extends Error {}
  class MultipleTextContentError extends Error {}
  class ContextWindowSizeExceededError extends Error {}
  class ArtifactManifestError extends Error {}
  const libExports$2 = { Scalar: class { constructor(value, dtype) { Object.assign(this, { value, dtype }); } } };
  ${cut('function __awaiter(', '\n}\n')}
  ${cut('var Role;', '(Role || (Role = {}));')}
  ${cut('var MessagePlaceholders;', '(MessagePlaceholders || (MessagePlaceholders = {}));')}
  ${cut('class Conversation {', '\n}\n')}
  ${cut('function getConversation(', '\n}\n')}
  ${cut('function getConversationFromChatCompletionRequest(', '\n}\n')}
  ${cut('function getChunkedPrefillInputData(', '\n}\n')}
  ${cut('function getImageDataFromURL(', '\n}\n')}
  ${cut('function getRGBArrayFromImageData(', '\n}\n')}
  ${cut('function planImageResize(', '\n}\n')}
  ${cut('function getResizedRGBArrayFromURL(', '\n}\n')}
  class LLMChatPipeline {
    ${METHODS.map((name) => cut(`    ${name}`, '\n    }\n', PIPELINE)).join('\n')}
  }
  const withManifest = (parts) => Object.assign(new LLMChatPipeline(), { artifactImagePixelCache: new Map(), filledKVCacheLength: 0, slidingWindowSize: -1, contextWindowSize: 4096 }, parts);
  const prefill = async (parts, template, messages) => {
    const conversation = getConversationFromChatCompletionRequest({ messages }, { conv_template: template });
    const last = messages[messages.length - 1];
    conversation.appendMessage(Role.user, last.content, last.name);
    conversation.appendReplyHeader(Role.assistant);
    const pipeline = Object.assign(withManifest(parts), { conversation, imageDataCache: new Map() });
    if (pipeline.artifact !== undefined) {
      const [chunks] = await pipeline.getArtifactPrefillChunks();
      for (const { embeddings, tokenIds, modalityIds } of chunks) {
        pipeline.artifactPrefillAndForward(embeddings ?? pipeline.getArtifactTextEmbeddings(tokenIds), tokenIds, modalityIds);
      }
      return;
    }
    const [input, , sizeOf] = await pipeline.getInputData();
    const [chunks, lengths] = getChunkedPrefillInputData(input, pipeline.prefillChunkSize, sizeOf);
    for (const [i, chunk] of chunks.entries()) await pipeline.embedAndForward(chunk, lengths[i]);
  };
  return { prefill, withManifest };
})()`) as WebLlmCode;

/** What WebLLM's code feeds the runtime for a conversation. */
async function webLlmFeeds(messages: readonly ChatMessage[], chatOptions: object) {
  const world = new StandIn(VISION);
  const { engine, pipeline } = await world.load(chatOptions);
  const { tvm, vm: library, device, params, embed, tokenizer, config } = pipeline;
  tvm.beginScope();
  const call = (name: string) => library.getFunction(name);
  const size = (n: number) => tvm.makeShapeTuple([n]);
  const cache = call('create_tir_paged_kv_cache')(
    size(1),
    size(4096),
    size(4096),
    size(16),
    size(0),
  );
  tvm.getGlobalFunc('vm.builtin.kv_state_add_sequence')(cache as TvmObject, tvm.scalar(0, 'int64'));
  await webLlm.prefill(
    {
      ...{ tvm, device, params, embed, tokenizer, config },
      image_embed: call('image_embed'),
      contextWindowSize: 4096,
      prefillChunkSize: world.metadata.prefill_chunk_size,
      getActiveKVStates: () => [cache],
      fKVCacheBeginForward: tvm.getGlobalFunc('vm.builtin.kv_state_begin_forward'),
      fKVCacheEndForward: tvm.getGlobalFunc('vm.builtin.kv_state_end_forward'),
      invokePrefill: (rows: TvmTensor) =>
        call('prefill')(rows, cache as TvmObject, params) as TvmArray,
      invokeDecode: (rows: TvmTensor) =>
        call('decode')(rows, cache as TvmObject, params) as TvmArray,
    },
    config.conv_template,
    messages,
  );
  tvm.endScope();
  await engine.unload();
  return { rows: world.fed.flat(), images: world.images };
}

const VISION: StandInOptions = {
  vision: 'phi3_v',
  metadata: { context_window_size: 4096, prefill_chunk_size: 4096 },
};

/** What our own feeds it, by one of our ways of serving. */
async function ourFeeds(
  messages: readonly ChatMessage[],
  chatOptions: object,
  options: StandInOptions = {},
) {
  const service = await VisionService.of({ ...VISION, ...options }, { chatOptions });
  services.push(service);
  const { world } = service;
  // What the load itself computes is none of the conversation.
  const before = world.fed.length;
  await service.ask(messages, { max_tokens: 1 });
  return { rows: world.fed.slice(before).flat(), images: world.images };
}

const services: VisionService[] = [];
afterEach(async () => {
  for (const { server } of services.splice(0)) await server.dispose();
});

const image = (bytes: Uint8Array) => ({
  type: 'image_url' as const,
  image_url: { url: dataUrl(bytes) },
});
const text = (words: string) => ({ type: 'text' as const, text: words });

const seen = picture(1);
const tall = picture(2, 9, 16);
const clear = png(5, 4, (x, y) => [10 * x, 20 * y, 30, 255]);

const CONVERSATIONS: [string, ChatMessage[]][] = [
  ['an image before a question', [{ role: 'user', content: [image(seen), text('What is it?')] }]],
  ['an image behind it', [{ role: 'user', content: [text('What is it?'), image(tall)] }]],
  ['an image alone', [{ role: 'user', content: [image(clear)] }]],
  [
    'an image in an earlier turn',
    [
      { role: 'system', content: 'Look closely.' },
      { role: 'user', content: [text('See?'), image(seen)] },
      { role: 'assistant', content: 'I do.' },
      { role: 'user', content: 'What was it?' },
    ],
  ],
  [
    'two images, one of them twice',
    [
      { role: 'user', content: [image(tall), text('First.')] },
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: [image(tall), text('Again.')] },
    ],
  ],
];

const MARKS = { vision_start_token_id: 260, vision_end_token_id: 261 };

describe('a prompt with images is computed as by WebLLM’s own pipeline', () => {
  let uninstall = () => {};
  beforeAll(() => {
    ({ uninstall } = installDecoder());
  });
  afterAll(() => uninstall());

  const WAYS: [string, StandInOptions][] = [
    ['in batches', {}],
    ['in turn', { metadata: { ...VISION.metadata, max_batch_size: 1 } }],
  ];
  for (const [way, options] of WAYS) {
    for (const [name, messages] of CONVERSATIONS) {
      it.each([
        ['plain', {}],
        ['with marks around images', { model_config: MARKS }],
      ])(`${way}: ${name}, %s`, async (_, chatOptions) => {
        const expected = await webLlmFeeds(messages, chatOptions);
        const ours = await ourFeeds(messages, chatOptions, options);
        expect(ours.rows).toEqual(expected.rows);
        expect(expected.images.length).toBeGreaterThan(0);
        // WebLLM embeds an image as often as it stands there, we each but once.
        const distinct = new Map(expected.images.map((one) => [JSON.stringify(one), one]));
        const asked = new Map(ours.images.map((one) => [JSON.stringify(one), one]));
        expect([...asked.keys()].sort()).toEqual([...distinct.keys()].sort());
      });
    }
  }
});

describe('an image for a model with a manifest', () => {
  let uninstall = () => {};
  beforeAll(() => {
    ({ uninstall } = installDecoder());
  });
  afterAll(() => uninstall());

  const CHUNK = 20;
  const imageInput = (resize: object) => ({
    processor: { kind: 'image_decode', resize, num_embeddings: 33 },
    prompt: {
      prefix_token_ids: [259, 260],
      placeholder_token_id: 261,
      suffix_token_ids: [262],
    },
    dtype: 'uint32',
  });

  interface Seen {
    /** What each forward that had images was told beside its rows. */
    ids: number[][];
    /** Pixels that the adapter was given. */
    pixels: number[][];
  }

  /** Gives a pipeline what it has for a model with a manifest: WebLLM's own methods, our functions. */
  function dressed(resize: object, seen: Seen) {
    const dress: StandInOptions['dress'] = (pipeline, run) => {
      const { tvm, device, params, embed } = pipeline;
      const adapter = (pixels: TvmTensor) => {
        const { data, shape } = pixels as TvmTensor & { data: ArrayLike<number> };
        seen.pixels.push([...shape, ...Array.from(data)]);
        const rows = Array.from({ length: 33 }, (_, row) => 2000 + row + seen.pixels.length);
        return tvm.empty([33, 1], 'float32', device).copyFrom(rows);
      };
      const prefill = (rows: TvmTensor, ids: TvmTensor, kinds: TvmTensor) => {
        const [tokens, modality] = [ids, kinds].map((tensor) =>
          Array.from((tensor as TvmTensor & { data: ArrayLike<number> }).data),
        );
        if (modality.includes(1)) seen.ids.push([...tokens, ...modality]);
        const logits = run(rows);
        return { get: () => logits };
      };
      tvm.beginScope();
      const fTensorCreateView = tvm.detachFromCurrentScope(
        tvm.getGlobalFunc('runtime.TVMTensorCreateView'),
      );
      tvm.endScope();
      const parts = {
        ...{ tvm, device, params, embed, fTensorCreateView, prefill },
        artifact: { imageInput: imageInput(resize), generation: { inputs: 'tokens' } },
        artifactImageAdapter: adapter,
        prefillChunkSize: CHUNK,
        beginArtifactForward: () => [],
        endArtifactForward: () => {},
      };
      const made = webLlm.withManifest(parts);
      for (const name of [
        'getArtifactImageEmbeddings',
        'sliceTensorRows',
        'artifactPrefillAndForward',
      ]) {
        Reflect.set(pipeline, name, Reflect.get(made, name).bind(made));
      }
      for (const name of ['artifact', 'artifactImagePixelCache', 'prefillChunkSize']) {
        Reflect.set(pipeline, name, Reflect.get(made, name));
      }
      Reflect.set(pipeline, 'parts', parts);
      const { dispose } = pipeline as unknown as { dispose(): void };
      Reflect.set(pipeline, 'dispose', () => {
        fTensorCreateView.dispose();
        dispose();
      });
    };
    return dress;
  }

  it.each([
    ['stretched', { mode: 'stretch', width: 7, height: 3 }],
    ['cut', { mode: 'center_crop', width: 4, height: 4 }],
    ['cut the other way', { mode: 'center_crop', width: 3, height: 6 }],
  ])('%s, is fed as by WebLLM’s own pipeline', async (_, resize) => {
    const messages: ChatMessage[] = [
      { role: 'user', content: [text('Before.'), image(seen)] },
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: [image(tall), text('Behind, and longer than a chunk.')] },
    ];
    const [expected, ours]: Seen[] = [
      { ids: [], pixels: [] },
      { ids: [], pixels: [] },
    ];
    const world = new StandIn({ ...VISION, dress: dressed(resize, expected) });
    const { pipeline } = await world.load();
    pipeline.tvm.beginScope();
    const { config, tokenizer } = pipeline;
    const parts = { ...Reflect.get(pipeline, 'parts'), config, tokenizer };
    await webLlm.prefill(parts, config.conv_template, messages);
    pipeline.tvm.endScope();

    const service = await VisionService.of({ ...VISION, dress: dressed(resize, ours) });
    services.push(service);
    const { state } = service;
    expect(state).toMatchObject({ engine: { mode: 'serial' }, limits: { images: true } });
    const { usage } = await service.ask(messages, { max_tokens: 1 });
    expect(service.world.fed.flat()).toEqual(world.fed.flat());
    expect(usage.prompt_tokens).toBe(world.fed.flat().length);
    expect(ours).toEqual(expected);
    expect(ours.pixels).toHaveLength(2);
    expect(ours.ids.flat().filter((id) => id === 261)).toHaveLength(2 * 33);
  });
});
