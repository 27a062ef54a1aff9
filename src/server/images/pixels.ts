/** From a file to what a model is fed. Needs a browser: a worker of one, or a page. */
import type { ImagePlan } from '../../engine/step-engine';
import { yieldToEventLoop } from '../../engine/yield';
import { type Pixels, TempoError } from '../../scheduler';

/** Pixels that are read at once: a few milliseconds' work. */
const STRIP = 2 ** 18;

/** Undefined where nothing decodes images (Node). Rejects with `invalid_request` for a file that is broken. */
export async function decode(
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
  param: string,
): Promise<ImageBitmap | undefined> {
  if (typeof createImageBitmap !== 'function') return undefined;
  try {
    return await createImageBitmap(new Blob([bytes], { type }));
  } catch (cause) {
    throw new TempoError(
      'invalid_request',
      `${param} cannot be decoded: the file is broken, or of a kind (${type}) that this browser does not know.`,
      { param, cause },
    );
  }
}

/**
 * A picture's colours, scaled as planned; what is transparent is white. In strips, so that what is generated
 * meanwhile goes on. WebLLM reads them the same way, but for what is transparent, which is black there.
 */
export async function readPixels(bitmap: ImageBitmap, plan: ImagePlan): Promise<Pixels> {
  const { width, height, drawn } = plan;
  const lines = Math.min(height, Math.max(1, Math.floor(STRIP / width)));
  const canvas = new OffscreenCanvas(width, lines);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new TempoError('engine_failed', 'There is no canvas to read from.');
  context.imageSmoothingQuality = 'high';
  context.fillStyle = 'white';
  const rgb = new Uint8Array(width * height * 3);
  for (let top = 0; top < height; top += lines) {
    if (top > 0) await yieldToEventLoop();
    context.fillRect(0, 0, width, lines);
    context.drawImage(bitmap, drawn.left, drawn.top - top, drawn.width, drawn.height);
    const { data } = context.getImageData(0, 0, width, Math.min(lines, height - top));
    for (let from = 0, to = top * width * 3; from < data.length; from += 4) {
      rgb[to++] = data[from];
      rgb[to++] = data[from + 1];
      rgb[to++] = data[from + 2];
    }
  }
  return { width, height, rgb };
}
