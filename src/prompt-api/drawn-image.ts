/** Loaded with the first image that is no file yet. */

/** Pixels of an image that is drawn here: more than models look at, and no file too large to be sent. */
const MOST_PIXELS = 2 ** 22;

/** The file of a bitmap, which is closed then. Rejects with a SecurityError where it is another site's own. */
export async function fileOf(bitmap: ImageBitmap): Promise<Blob> {
  try {
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (bitmap.width * bitmap.height)));
    const side = (pixels: number) => Math.max(1, Math.floor(pixels * scale));
    const canvas = new OffscreenCanvas(side(bitmap.width), side(bitmap.height));
    const context = canvas.getContext('2d');
    if (context === null) throw new DOMException('There is no canvas.', 'InvalidStateError');
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob();
  } finally {
    bitmap.close();
  }
}
