import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LibraryMetadata, ParamSpec } from './library';
import { drawNibbles, drawNormal, NIBBLE_DEVIATION, RandomBits } from './random';

/** How far logits of random weights spread: their standard deviation. */
const LOGIT_DEVIATION = 3;

/** Shards are about as large as MLC's own, in bytes. */
const SHARD_BYTES = 32 << 20;

interface TensorRecord {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly format: 'raw' | 'f32-to-bf16';
  readonly nbytes: number;
  readonly byteOffset: number;
}

interface ShardRecord {
  readonly dataPath: string;
  readonly format: 'raw-shard';
  readonly nbytes: number;
  readonly records: readonly TensorRecord[];
}

/**
 * Writes random weights for every parameter of a library to `folder`, in the format MLC's converter writes:
 * shards of tensors and an index of them, under its old and its new name. The same library and seed give the
 * same bytes.
 */
export async function writeRandomWeights(
  metadata: LibraryMetadata,
  vocabSize: number,
  seed: string,
  folder: string,
): Promise<void> {
  const tied = !metadata.params.some(({ name }) => name.includes('lm_head'));
  const shards: ShardRecord[] = [];
  let records: TensorRecord[] = [];
  let chunks: Uint8Array[] = [];
  let nbytes = 0;
  const flush = async () => {
    if (nbytes === 0) return;
    const dataPath = `params_shard_${shards.length}.bin`;
    await writeFile(join(folder, dataPath), chunks);
    shards.push({ dataPath, format: 'raw-shard', nbytes, records });
    records = [];
    chunks = [];
    nbytes = 0;
  };
  for (const param of metadata.params) {
    const shape = param.shape.map((size) => (typeof size === 'number' ? size : vocabSize));
    const bytes = drawParam(param, shape, tied, seed);
    if (nbytes + bytes.byteLength > SHARD_BYTES) await flush();
    records.push({
      name: param.name,
      shape,
      dtype: param.dtype,
      format: param.dtype === 'float32' ? 'f32-to-bf16' : 'raw',
      nbytes: bytes.byteLength,
      byteOffset: nbytes,
    });
    chunks.push(bytes);
    nbytes += bytes.byteLength;
  }
  await flush();
  const ParamBytes = shards.reduce((sum, shard) => sum + shard.nbytes, 0);
  const index = { metadata: { ParamSize: metadata.params.length, ParamBytes }, records: shards };
  for (const name of ['ndarray-cache.json', 'tensor-cache.json']) {
    await writeFile(join(folder, name), JSON.stringify(index, null, 2));
  }
}

/** Random bytes for one parameter, of the size and the meaning its name, shape and type ask for. */
function drawParam(
  param: ParamSpec,
  shape: readonly number[],
  tied: boolean,
  seed: string,
): Uint8Array {
  const bits = new RandomBits(`${seed} ${param.name}`);
  const count = shape.reduce((product, size) => product * size, 1);
  if (param.dtype === 'uint32') return asBytes(drawNibbles(bits, count));
  const encode = param.dtype === 'float16' ? toFloat16 : toBfloat16;
  const { mean, deviation } = spreadOf(param.name, shape, tied);
  return asBytes(drawNormal(bits, count, mean, deviation, encode));
}

/**
 * Chosen so that activations keep their size from layer to layer and logits spread as asked for. Embeddings
 * that are tied are the head's weights too, and spread as the head must.
 */
function spreadOf(
  name: string,
  shape: readonly number[],
  tied: boolean,
): { mean: number; deviation: number } {
  if (shape.length === 1) {
    return name.endsWith('bias') ? { mean: 0, deviation: 0.1 } : { mean: 1, deviation: 0.1 };
  }
  const scale = name.endsWith('q_scale');
  const inputs = (shape.at(-1) ?? 1) * (scale ? 32 : 1);
  const embedding = /embed|embd|wte|wpe/.test(name);
  const deviation =
    embedding && !tied
      ? 1
      : embedding || name.includes('lm_head')
        ? LOGIT_DEVIATION / Math.sqrt(inputs)
        : (/qkv|c_attn|[qk]_proj/.test(name) ? 1.5 : 1) / Math.sqrt(inputs);
  return scale
    ? { mean: deviation / NIBBLE_DEVIATION, deviation: deviation / NIBBLE_DEVIATION / 8 }
    : { mean: 0, deviation };
}

function asBytes(array: Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The upper half of a 32-bit float, rounded to nearest. */
function toBfloat16(value: number): number {
  float[0] = value;
  return (((floatBits[0] ?? 0) + 0x8000) >>> 16) & 0xffff;
}

/** IEEE half precision; values here are normal numbers or near enough to zero to be taken for it. */
function toFloat16(value: number): number {
  float[0] = value;
  const bits = (floatBits[0] ?? 0) + 0x1000;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent <= 0) return sign;
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
