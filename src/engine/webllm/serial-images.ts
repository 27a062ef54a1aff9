/**
 * Images for WebLLM's one sequence, through the parts that its own prompts go through: the pixels are laid
 * where it looks for them before it would fetch them.
 */
import type { Pixels } from '../../scheduler';
import type { ImageInput } from '../step-engine';
import { imageInputOf } from './image-input';
import {
  type ImagePipeline,
  type ManifestImageInput,
  type ManifestPipeline,
  manifestPipeline,
  readImagePipeline,
} from './internals';

export interface ImageFeed {
  readonly input: ImageInput;
  /** Appends an image's rows to the sequence. */
  feed(pixels: Pixels, rows: number): Promise<void>;
}

const ADDRESS = 'tempo:image';

/** Undefined where the model takes no images; a sentence where this WebLLM has no way to give it any. */
export function imageFeed(engine: unknown, model: string): ImageFeed | string | undefined {
  const manifest = manifestPipeline(engine, model);
  if (manifest !== undefined) return new ManifestFeed(manifest.pipeline, manifest.input);
  const pipeline = readImagePipeline(engine, model);
  if (typeof pipeline === 'string') return undefined;
  const input = imageInputOf(pipeline);
  return typeof input === 'object' ? new WholeFeed(pipeline, input) : input;
}

/** Of models without a manifest: an image is computed as a whole. */
class WholeFeed implements ImageFeed {
  readonly input: ImageInput;
  readonly #pipeline: ImagePipeline;

  constructor(pipeline: ImagePipeline, input: ImageInput) {
    this.#pipeline = pipeline;
    const most = pipeline.prefillChunkSize;
    const plan: ImageInput['plan'] = (width, height) => {
      const planned = input.plan(width, height);
      if (typeof planned === 'string' || planned.rows <= most) return planned;
      return `it takes ${planned.rows} tokens, and this library computes ${most} at once. Give it another shape.`;
    };
    this.input = { ...input, plan };
  }

  async feed({ width, height, rgb }: Pixels, rows: number): Promise<void> {
    const { tvm, device, imageDataCache } = this.#pipeline;
    const data = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
      data[to] = rgb[from];
      data[to + 1] = rgb[from + 1];
      data[to + 2] = rgb[from + 2];
    }
    imageDataCache.set(ADDRESS, { width, height, data });
    tvm.beginScope();
    try {
      await this.#pipeline.embedAndForward([{ url: ADDRESS }], rows);
    } finally {
      imageDataCache.delete(ADDRESS);
      tvm.endScope();
    }
    await device.sync();
  }
}

/** Of models with a manifest, which says what size pictures have and what stands around them. */
class ManifestFeed implements ImageFeed {
  readonly input: ImageInput;
  readonly #pipeline: ManifestPipeline;
  readonly #placeholder: number;
  /** What WebLLM calls the pixels, before the address. */
  readonly #size: string;

  constructor(pipeline: ManifestPipeline, { processor, prompt }: ManifestImageInput) {
    this.#pipeline = pipeline;
    this.#placeholder = prompt.placeholder_token_id;
    const { resize, num_embeddings: rows } = processor;
    const { mode, width, height } = resize;
    this.#size = `${mode}:${width}x${height}`;
    this.input = {
      layout: { place: 'in text', separator: '' },
      before: prompt.prefix_token_ids,
      after: prompt.suffix_token_ids,
      seesPixels: true,
      plan: (...size) => ({ width, height, drawn: drawnInto(resize, ...size), rows }),
    };
  }

  async feed({ rgb }: Pixels, rows: number): Promise<void> {
    const pipeline = this.#pipeline;
    const { tvm, device, artifactImagePixelCache, prefillChunkSize } = pipeline;
    const key = `${this.#size}:${ADDRESS}`;
    artifactImagePixelCache.set(key, new Uint8ClampedArray(rgb));
    tvm.beginScope();
    try {
      const part = { type: 'image_url', image_url: { url: ADDRESS } } as const;
      const embedding = await pipeline.getArtifactImageEmbeddings(part);
      for (let start = 0; start < rows; start += prefillChunkSize) {
        const count = Math.min(prefillChunkSize, rows - start);
        pipeline.artifactPrefillAndForward(
          pipeline.sliceTensorRows(embedding, start, count),
          new Array(count).fill(this.#placeholder),
          new Array(count).fill(IMAGE_MODALITY),
        );
      }
    } finally {
      artifactImagePixelCache.delete(key);
      tvm.endScope();
    }
    await device.sync();
  }
}

/** What WebLLM calls tokens that are no text. */
const IMAGE_MODALITY = 1;

/** Where WebLLM's `planImageResize` draws a picture. */
function drawnInto(
  { mode, width, height }: ManifestImageInput['processor']['resize'],
  pictureWidth: number,
  pictureHeight: number,
) {
  if (mode === 'stretch') return { left: 0, top: 0, width, height };
  const scale = Math.max(height / pictureHeight, width / pictureWidth);
  const drawn = {
    width: Math.round(pictureWidth * scale),
    height: Math.round(pictureHeight * scale),
  };
  const half = (beyond: number) => -Math.floor(beyond / 2) || 0;
  return { ...drawn, left: half(drawn.width - width), top: half(drawn.height - height) };
}
