import { fail } from './fail';
import type { Handle, Raw, ShapeTuple } from './handle';
import { rowsOf, type SeenImage } from './images';
import { VOCABULARY } from './model';
import { PagedCache } from './paged-cache';
import { samplingKernels } from './sampling-kernels';
import { swapFunctions } from './swap-functions';
import { type Device, List, Tensor } from './tensor';
import type { World } from './world';

/** The library's functions, and the runtime's. */
export function functionsOf(world: World, gpu: Device) {
  const number = (value: unknown) => (value as { value: number }).value;
  const shape = (value: unknown) => (value as ShapeTuple).values;
  const logits = (hashes: number[], dims: number[]) => {
    const tensor = new Tensor(world, dims, 'float32', gpu);
    world.writeLogits(tensor.data, hashes);
    return new List(world, [tensor]);
  };
  const imageEmbed = (pixels: Tensor, ...args: unknown[]) => {
    const [resizeHeight, resizeWidth, cropHeight, cropWidth] = args
      .slice(0, 4)
      .map((size) => shape(size)[0]);
    const seen: SeenImage = {
      shape: pixels.shape,
      dtype: pixels.dtype,
      pixels: [...pixels.data],
      resize: [resizeHeight, resizeWidth],
      crop: [cropHeight, cropWidth],
    };
    world.images.push(seen);
    const rows = rowsOf(seen, world.options.wrong?.images ? 1 : 0);
    return new Tensor(world, [rows.length, 1], 'float32', gpu, Float32Array.from(rows));
  };
  const library: Record<string, Raw> = {
    _metadata: () => JSON.stringify(world.metadata),
    embed: (ids: Tensor, params: Handle) => {
      ids.use();
      params.use();
      world.embedded.push([...ids.data]);
      return new Tensor(world, [ids.data.length, 1], 'float32', gpu, Float32Array.from(ids.data));
    },
    create_tir_paged_kv_cache: (n: unknown, tokens: unknown, chunk: unknown) => {
      if (shape(tokens)[0] > (world.options.mostKvTokens ?? Number.POSITIVE_INFINITY)) {
        queueMicrotask(() => world.loseDevice('out of memory'));
      }
      return new PagedCache(world, shape(n)[0], shape(tokens)[0], shape(chunk)[0]);
    },
    batch_prefill: (hidden: Tensor, positions: Tensor, cache: PagedCache) => {
      const hashes = cache.run(hidden);
      const rows = [...positions.data].map((position) => hashes[position]);
      return logits(rows, [1, rows.length, VOCABULARY]);
    },
    prefill: (hidden: Tensor, cache: PagedCache) =>
      logits([cache.run(hidden).at(-1) ?? 0], [1, 1, VOCABULARY]),
    decode: (hidden: Tensor, cache: PagedCache) => logits(cache.run(hidden), [1, 1, VOCABULARY]),
    batch_decode: (hidden: Tensor, cache: PagedCache) => {
      const hashes = cache.run(hidden);
      return logits(hashes, [hashes.length, 1, VOCABULARY]);
    },
    ...(world.options.samplesOnGpu ? samplingKernels(world, gpu) : {}),
    ...(world.options.vision === undefined ? {} : { image_embed: imageEmbed }),
  };
  const kv = 'vm.builtin.kv_state_';
  const attention = 'vm.builtin.attention_kv_cache_';
  const runtime: Record<string, Raw> = {
    [`${kv}clear`]: (cache: PagedCache) => cache.clear(),
    [`${kv}add_sequence`]: (cache: PagedCache, id: unknown) => cache.add(number(id)),
    [`${kv}remove_sequence`]: (cache: PagedCache, id: unknown) => cache.remove(number(id)),
    [`${kv}fork_sequence`]: (cache: PagedCache, parent: unknown, id: unknown, tokens: unknown) =>
      cache.fork(number(parent), number(id), number(tokens)),
    [`${kv}popn`]: (cache: PagedCache, id: unknown, tokens: unknown) =>
      cache.pop(number(id), number(tokens)),
    [`${kv}begin_forward`]: (cache: PagedCache, ids: unknown, lengths: unknown) =>
      cache.begin(shape(ids), shape(lengths)),
    [`${kv}end_forward`]: (cache: PagedCache) => cache.end(),
    [`${attention}get_num_available_pages`]: (cache: PagedCache) => cache.availablePages,
    'runtime.TVMTensorCreateView': (of: Tensor, dims: unknown, _dtype: unknown, offset: unknown) =>
      of.part(shape(dims), number(offset)),
    'tvmjs.runtime.ConcatEmbeddings': (...parts: Tensor[]) => {
      const [{ shape: first, dtype }] = parts;
      if (parts.some((part) => part.shape.length !== 2 || part.shape[1] !== first[1])) {
        fail('The embeddings are not of one size.');
      }
      const rows = parts.reduce((sum, part) => sum + part.shape[0], 0);
      const joined = new Tensor(world, [rows, first[1]], dtype, gpu);
      let at = 0;
      for (const { data } of parts) {
        joined.data.set(data, at);
        at += data.length;
      }
      return joined;
    },
    ...(world.options.swaps ? swapFunctions(number) : {}),
  };
  for (const name of world.options.lacks ?? []) {
    delete library[name];
    delete runtime[name];
  }
  return { library, runtime };
}
