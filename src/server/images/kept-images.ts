import type { PromptImage } from '../../engine/text';

/** What is kept for requests to come, bytes: some ten pictures. */
const MOST_BYTES = 64 * 2 ** 20;

/** The images of late, by their digests: a conversation brings the same ones with every turn. */
export class KeptImages {
  readonly #images = new Map<string, PromptImage>();
  #bytes = 0;

  get(key: string): PromptImage | undefined {
    const image = this.#images.get(key);
    if (image === undefined) return undefined;
    // To the end: the first are the first to go.
    this.#images.delete(key);
    this.#images.set(key, image);
    return image;
  }

  put(key: string, image: PromptImage): PromptImage {
    this.#images.set(key, image);
    this.#bytes += bytesOf(image);
    for (const [oldest, other] of this.#images) {
      if (this.#bytes <= MOST_BYTES || oldest === key) break;
      this.#images.delete(oldest);
      this.#bytes -= bytesOf(other);
    }
    return image;
  }
}

function bytesOf({ ids, pixels }: PromptImage): number {
  return ids.byteLength + (pixels?.rgb.byteLength ?? 0);
}
