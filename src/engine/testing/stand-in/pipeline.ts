import { phi3vShape } from '../../images/phi3v';
import type { ChatOptions } from '../../webllm/app-config';
import type { ImagePipeline, MlcPipeline, TvmDevice, TvmTensor } from '../../webllm/internals';
import { functionsOf } from './functions';
import { Handle, packed, type Raw, ShapeTuple } from './handle';
import { logitsOf } from './logits';
import { TEMPLATE, VOCABULARY } from './model';
import { PagedCache } from './paged-cache';
import { Device, Tensor } from './tensor';
import { Tokenizer } from './tokenizer';
import type { World } from './world';

export function makePipeline(world: World, chatOptions: ChatOptions) {
  const ownCacheTokens = chatOptions.context_window_size ?? world.metadata.context_window_size;
  const gpu = new Device(world, 'gpu');
  const cpu = new Device(world, 'cpu');
  const { library, runtime } = functionsOf(world, gpu);
  const find = (functions: Record<string, Raw>, name: string) => {
    const run = functions[name];
    if (run === undefined) throw new Error(`Cannot find function ${name}`);
    return packed(world, run);
  };
  const tvm = {
    beginScope: () => {
      world.scopes.push([]);
    },
    endScope: () => {
      const scope = world.scopes.pop();
      if (scope === undefined) throw new Error('tvm.endScope called when the stack is empty.');
      for (const object of scope) object.dispose();
    },
    detachFromCurrentScope: <T extends object>(object: T): T => {
      const handle = 'handle' in object ? object.handle : object;
      const scope = world.scopes.at(-1) ?? [];
      const at = scope.indexOf(handle as Handle);
      if (at < 0) throw new Error('Cannot find obj in the current auto conversion pool');
      scope.splice(at, 1);
      return object;
    },
    attachToCurrentScope: <T extends Handle>(object: T): T => {
      world.scopes.at(-1)?.push(object);
      return object;
    },
    getGlobalFunc: (name: string) => find(runtime, name),
    makeShapeTuple: (values: number[]) => new ShapeTuple(world, values),
    scalar: (value: number, dtype: string) => ({ value, dtype }),
    empty: (shape: number[], dtype: string, device: Device) => {
      if (world.lost) throw new Error('The runtime is gone with its device.');
      return new Tensor(world, shape, dtype, device);
    },
    cpu: () => cpu,
    concatEmbeddings: (parts: Tensor[]) =>
      find(runtime, 'tvmjs.runtime.ConcatEmbeddings')(...(parts as never[])) as Tensor,
  };
  const vm = {
    // Undefined where there is none; older runtimes throw.
    getFunction: (name: string) => (name in library ? find(library, name) : undefined),
  };
  tvm.beginScope();
  const params = tvm.detachFromCurrentScope(new Handle(world));
  const embed = tvm.detachFromCurrentScope(find(library, 'embed'));
  const own = tvm.detachFromCurrentScope(
    new PagedCache(world, 1, ownCacheTokens, world.metadata.prefill_chunk_size),
  );
  own.add(0);
  tvm.endScope();
  const config = {
    vocab_size: VOCABULARY,
    sliding_window_size: world.options.slidingWindow ?? -1,
    temperature: 0.7,
    top_p: 0.9,
    conv_template: TEMPLATE,
    tokenizer_info: { token_postproc_method: 'byte_level', prepend_space_in_encode: false },
    model_type: world.options.vision ?? 'stand-in',
    ...chatOptions,
    context_window_size: ownCacheTokens,
  };
  const tokenizer = new Tokenizer();
  const imageDataCache: ImagePipeline['imageDataCache'] = new Map();
  const { prefill_chunk_size: prefillChunkSize } = world.metadata;
  /** A chunk for the one sequence there is: texts, and images whose pixels have been laid ready. */
  const embedAndForward = async (input: (number[] | { url: string })[], length: number) => {
    if (length > prefillChunkSize) throw new Error('InternalError: the chunk is too long.');
    const rows = input.map((part) => {
      if (Array.isArray(part)) {
        return embed(
          tvm.empty([part.length], 'int32', gpu).copyFrom(part) as never,
          params as never,
        );
      }
      const image = imageDataCache.get(part.url);
      if (image === undefined) throw new Error(`Nothing is fetched here: ${part.url}`);
      const { width, height, data } = image;
      const shape = phi3vShape(width, height);
      if (shape === undefined) throw new Error('The image is too narrow.');
      const rgb = data.filter((_, i) => i % 4 < 3);
      const one = (size: number) => tvm.makeShapeTuple([size]) as never;
      const { resize, crop } = shape;
      return find(library, 'image_embed')(
        tvm.empty([1, height, width, 3], 'uint32', gpu).copyFrom(rgb) as never,
        one(resize.height),
        one(resize.width),
        one(crop.height),
        one(crop.width),
        params as never,
      );
    });
    const joined = tvm.concatEmbeddings(rows as Tensor[]);
    if (joined.shape[0] !== length) throw new Error('InternalError: the lengths differ.');
    await new Promise((resolve) => setTimeout(resolve, 0));
    return runOwn(joined);
  };
  const runOwn = (rows: Tensor) => {
    own.begin([0], [rows.data.length]);
    const hash = own.run(rows).at(-1) ?? 0;
    own.end();
    return tvm.empty([1, 1, VOCABULARY], 'float32', gpu).copyFrom(logitsOf(hash));
  };
  const pipeline = {
    tvm,
    vm,
    device: gpu as TvmDevice,
    params,
    embed,
    tokenizer,
    config,
    imageDataCache,
    prefillChunkSize,
    embedAndForward,
    dispose: () => {
      for (const object of [params, embed, own, tokenizer]) object.dispose();
    },
  };
  world.options.dress?.(
    pipeline as unknown as MlcPipeline,
    runOwn as unknown as (rows: TvmTensor) => TvmTensor,
  );
  return { pipeline, own };
}
