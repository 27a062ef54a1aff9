/** The images that requests bring: fetched, checked, decoded. Loaded with the first of them. */
import type { ImageInput } from '../../engine/step-engine';
import type { PromptImage } from '../../engine/text';
import { TempoError } from '../../scheduler';
import type { LoadedImages } from '../tools';
import type { ImageSource, Message } from '../validate';
import { imageFile } from './image-file';
import { type ImageHeader, imageHeader } from './image-header';
import { KeptImages } from './kept-images';
import { decode, readPixels } from './pixels';

/** A decoded picture takes 4 bytes a pixel for a moment: 256 MiB. Phones' cameras give 12 to 50 million. */
const MOST_PIXELS = 2 ** 26;

/** Ids from here on are in no model's vocabulary. */
const FIRST_ID = 2 ** 30;

/** Images of one request that are fetched at once. */
const AT_ONCE = 4;

const ANIMATED = 'Of an animated image, the first frame alone is seen.';

export interface ImageLoad {
  images: LoadedImages;
  /** A sentence for each thing that is not seen of an image. */
  warnings: ReadonlySet<string>;
}

/** Loads images for one model. */
export class Images {
  readonly #input: ImageInput;
  readonly #kept = new KeptImages();
  readonly #loads = new Set<AbortController>();
  /** One picture is decoded at a time: it takes memory. */
  #decoding: Promise<unknown> = Promise.resolve();

  constructor(input: ImageInput) {
    this.#input = input;
  }

  /**
   * All images of a conversation; `longest` is how many tokens prompt and answer may have together. Rejects
   * with the first error of any, which names its field: `invalid_request`, `network`,
   * `context_length_exceeded` where they alone are too many; or with what the signal, or `stop`, ended it
   * with. What else was being loaded for it ends then.
   */
  async load(
    messages: readonly Message[],
    longest: number,
    signal?: AbortSignal,
  ): Promise<ImageLoad> {
    const warnings = new Set<string>();
    const controller = new AbortController();
    const onAbort = () => controller.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#loads.add(controller);
    const loaded = new Map<ImageSource, PromptImage>();
    const sources = messages.flatMap((one) => (one.role === 'user' ? (one.images ?? []) : []));
    const waiting = sources.values();
    let tokens = 0;
    const work = async () => {
      for (const source of waiting) {
        const image = await this.#one(source, warnings, controller.signal);
        loaded.set(source, image);
        tokens += image.ids.length;
        if (tokens > longest) throw tooMany(loaded.size, tokens, longest);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, sources.length) }, work));
      return { images: loaded, warnings };
    } catch (thrown) {
      controller.abort(thrown);
      throw TempoError.from(thrown, 'invalid_request');
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#loads.delete(controller);
    }
  }

  /** Ends what is being loaded. */
  stop(error: TempoError): void {
    for (const controller of this.#loads) controller.abort(error);
  }

  async #one(
    source: ImageSource,
    warnings: Set<string>,
    signal: AbortSignal,
  ): Promise<PromptImage> {
    const { param } = source;
    const bytes = await imageFile(source, signal);
    const header = checkedHeader(bytes, param);
    if (header.animated) warnings.add(ANIMATED);
    const key = await digest(bytes);
    signal.throwIfAborted();
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const decoded = this.#decoding.then(() => {
      signal.throwIfAborted();
      return this.#kept.get(key) ?? this.#decoded(bytes, header, key, param);
    });
    this.#decoding = decoded.catch(() => {});
    return decoded;
  }

  async #decoded(
    bytes: Uint8Array<ArrayBuffer>,
    header: ImageHeader,
    key: string,
    param: string,
  ): Promise<PromptImage> {
    const { before, after, seesPixels } = this.#input;
    const bitmap = await decode(bytes, header.type, param);
    try {
      const { width, height } = bitmap ?? header;
      const plan = this.#input.plan(width, height);
      if (typeof plan === 'string') {
        throw new TempoError('invalid_request', `${param}: ${plan}`, { param });
      }
      if (seesPixels && bitmap === undefined) {
        throw new TempoError('unsupported', 'Nothing decodes images here. Use a browser.', {
          param,
        });
      }
      const pixels = seesPixels && bitmap ? await readPixels(bitmap, plan) : undefined;
      return this.#kept.put(key, { ids: idsOf(key, plan.rows), before, after, pixels });
    } finally {
      bitmap?.close();
    }
  }
}

function checkedHeader(bytes: Uint8Array, param: string): ImageHeader {
  const refused = (sentence: string) =>
    new TempoError('invalid_request', `${param} ${sentence}`, { param });
  if (bytes.length === 0) throw refused('is empty.');
  const header = imageHeader(bytes);
  if (header === undefined) {
    const text = new TextDecoder('latin1').decode(bytes.subarray(0, 512));
    let hint = '';
    if (/<svg/i.test(text)) hint = ' An SVG is not made of pixels: draw it on a canvas first.';
    else if (/<!doctype html|<html/i.test(text)) hint = ' It is a web page: check the address.';
    throw refused(`is no PNG, JPEG, WebP, GIF, AVIF or BMP image.${hint}`);
  }
  const { width, height } = header;
  if (!(width > 0 && height > 0)) throw refused(`is of no size: ${width} × ${height} pixels.`);
  if (width * height > MOST_PIXELS) {
    const million = (pixels: number) => Math.round(pixels / 1e6);
    throw refused(
      `has ${million(width * height)} million pixels (${width} × ${height}); ${million(MOST_PIXELS)} million are taken at most. Scale it down first.`,
    );
  }
  return header;
}

/** A name for the picture. Where the page is not secure there is no digest, and no picture is like another. */
async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const { subtle } = crypto as Partial<Crypto>;
  const hash =
    subtle === undefined
      ? crypto.getRandomValues(new Uint8Array(16))
      : new Uint8Array(await subtle.digest('SHA-256', bytes)).subarray(0, 16);
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** 120 bits of the digest, over and over. */
function idsOf(key: string, rows: number): Int32Array {
  const words = Array.from(
    { length: 4 },
    (_, i) => FIRST_ID + (Number.parseInt(key.slice(8 * i, 8 * i + 8), 16) % FIRST_ID),
  );
  return Int32Array.from({ length: rows }, (_, row) => words[row % words.length]);
}

function tooMany(images: number, tokens: number, longest: number): TempoError {
  return new TempoError(
    'context_length_exceeded',
    `${images} of the images take ${tokens} tokens; this model has room for ${longest}, its answer included. Leave some out.`,
    { param: 'messages' },
  );
}
