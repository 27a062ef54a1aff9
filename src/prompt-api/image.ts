/**
 * An image as the page has it, as a file: what it shows at the time of the call. Rejects with a TypeError
 * for what is none, and as the browser does for one that it cannot read (`InvalidStateError`, and
 * `SecurityError` where another site's image was loaded without `crossorigin`).
 */
export async function imageFile(value: unknown): Promise<Blob> {
  if (value instanceof Blob) return value;
  if (value instanceof ArrayBuffer) return new Blob([value]);
  if (ArrayBuffer.isView(value)) {
    return new Blob([new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice()]);
  }
  const bitmap = await bitmapOf(value);
  return (await import('./drawn-image')).fileOf(bitmap);
}

/** The browser knows what is an image, and copies it at once. */
async function bitmapOf(value: unknown): Promise<ImageBitmap> {
  const words =
    'The value of an image must be a Blob, an ImageBitmap, ImageData, a canvas, an image or video element, a VideoFrame, or the bytes of a file.';
  if (typeof createImageBitmap !== 'function') throw new TypeError(words);
  try {
    return await createImageBitmap(value as ImageBitmapSource);
  } catch (cause) {
    throw cause instanceof TypeError ? new TypeError(words, { cause }) : cause;
  }
}
