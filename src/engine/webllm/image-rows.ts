import { type Pixels, TempoError } from '../../scheduler';
import { phi3vShape } from '../images/phi3v';
import {
  IMAGE_FUNCTION,
  IMAGE_RUNTIME_FUNCTIONS,
  type MlcPipeline,
  type TvmFunction,
  type TvmTensor,
} from './internals';
import { inScope } from './scope';

/** What is kept on the GPU for later steps and requests, bytes: two to four images. */
const MOST_BYTES = 64 * 2 ** 20;

/** Rows of an image among a forward's tokens. */
export interface ImageRun {
  /** Where they begin, and how many there are, tokens of the member. */
  at: number;
  count: number;
  pixels: Pixels;
  /** The first of them, of all of the image's. */
  from: number;
}

/** What is embedded for one member of a forward. */
export interface MixedTokens {
  tokens: Int32Array;
  images?: readonly ImageRun[];
}

/**
 * Images as rows of embeddings on the GPU, and how they come to stand among a text's. Pictures are told
 * apart by their pixels, as objects.
 */
export class ImageRows {
  readonly #pipeline: MlcPipeline;
  readonly #imageEmbed: TvmFunction;
  readonly #view: TvmFunction;
  readonly #join: TvmFunction;
  /** Those used last come last. */
  readonly #rows = new Map<Pixels, TvmTensor>();

  constructor(pipeline: MlcPipeline) {
    this.#pipeline = pipeline;
    const { tvm, vm } = pipeline;
    [this.#imageEmbed, this.#view, this.#join] = inScope(tvm, () => [
      tvm.detachFromCurrentScope(vm.getFunction(IMAGE_FUNCTION)),
      tvm.detachFromCurrentScope(tvm.getGlobalFunc(IMAGE_RUNTIME_FUNCTIONS.view)),
      tvm.detachFromCurrentScope(tvm.getGlobalFunc(IMAGE_RUNTIME_FUNCTIONS.join)),
    ]);
  }

  has(pixels: Pixels): boolean {
    return this.#rows.has(pixels);
  }

  /**
   * Issues the embedding of a picture, as WebLLM does it; it has not run yet when this returns. Throws
   * `engine_failed` where that makes another number of rows than the prompt has left for it.
   */
  embed(pixels: Pixels): void {
    const { width, height, rgb } = pixels;
    const shape = phi3vShape(width, height);
    if (shape === undefined) throw new TempoError('engine_failed', 'The image is too narrow.');
    const { tvm, device, params } = this.#pipeline;
    const made = inScope(tvm, () => {
      const bytes = new Uint8Array(new Uint32Array(rgb).buffer);
      const one = (size: number) => tvm.makeShapeTuple([size]);
      return tvm.detachFromCurrentScope(
        this.#imageEmbed(
          tvm.empty([1, height, width, 3], 'uint32', device).copyFromRawBytes(bytes),
          one(shape.resize.height),
          one(shape.resize.width),
          one(shape.crop.height),
          one(shape.crop.width),
          params,
        ) as TvmTensor,
      );
    });
    const [rows] = made.shape;
    if (rows !== shape.rows) {
      made.dispose();
      throw new TempoError(
        'engine_failed',
        `The model's library makes ${rows} rows of an image of ${width} × ${height} pixels, not ${shape.rows}.`,
      );
    }
    this.#rows.set(pixels, made);
  }

  /** Embeddings of all members' tokens, one after the other: [total, hidden], in the caller's scope. */
  embedded(members: readonly MixedTokens[]): TvmTensor {
    const { tvm, device, params, embed } = this.#pipeline;
    const texts = members.flatMap(textsOf);
    const ids = new Int32Array(texts.reduce((sum, { length }) => sum + length, 0));
    let filled = 0;
    for (const text of texts) {
      ids.set(text, filled);
      filled += text.length;
    }
    const textRows =
      filled === 0
        ? undefined
        : (embed(tvm.empty([filled], 'int32', device).copyFrom(ids), params) as TvmTensor);

    const parts: TvmTensor[] = [];
    let [viewed, passed] = [0, 0];
    const addText = () => {
      if (textRows && passed > viewed) parts.push(this.#part(textRows, viewed, passed - viewed));
      viewed = passed;
    };
    for (const { tokens, images = [] } of members) {
      let at = 0;
      for (const run of images) {
        passed += run.at - at;
        addText();
        parts.push(this.#part(this.#of(run.pixels), run.from, run.count));
        at = run.at + run.count;
      }
      passed += tokens.length - at;
    }
    addText();
    return this.#join(...parts) as TvmTensor;
  }

  /** Lets go of those that were not used of late, so far as they are not `needed`. */
  trim(needed: ReadonlySet<Pixels>): void {
    let bytes = 0;
    for (const [pixels, rows] of [...this.#rows].reverse()) {
      bytes += rows.shape[0] * rowBytes(rows);
      if (bytes <= MOST_BYTES || needed.has(pixels)) continue;
      rows.dispose();
      this.#rows.delete(pixels);
    }
  }

  dispose(): void {
    for (const owned of [...this.#rows.values(), this.#imageEmbed, this.#view, this.#join]) {
      owned.dispose();
    }
    this.#rows.clear();
  }

  #of(pixels: Pixels): TvmTensor {
    const rows = this.#rows.get(pixels);
    if (rows === undefined) throw new Error('The image is not embedded.');
    this.#rows.delete(pixels);
    this.#rows.set(pixels, rows);
    return rows;
  }

  /** Some rows of a tensor, where they are. Kernels take no such part; to be joined with others it will do. */
  #part(rows: TvmTensor, from: number, count: number): TvmTensor {
    const { tvm } = this.#pipeline;
    const shape = tvm.makeShapeTuple([count, rows.shape[1]]);
    const offset = tvm.scalar(from * rowBytes(rows), 'int');
    return this.#view(rows, shape, rows.dtype, offset) as TvmTensor;
  }
}

/** A member's tokens, without those that stand for images. */
function textsOf({ tokens, images = [] }: MixedTokens): Int32Array[] {
  const ends = [...images.map(({ at }) => at), tokens.length];
  const starts = [0, ...images.map(({ at, count }) => at + count)];
  return starts.map((start, i) => tokens.subarray(start, ends[i]));
}

function rowBytes({ shape, dtype }: TvmTensor): number {
  return (shape[1] * Number(/\d+$/.exec(dtype)?.[0] ?? 32)) / 8;
}
