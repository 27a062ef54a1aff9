/** What the function for images is called with. */
export interface SeenImage {
  /** [1, height, width, 3] */
  shape: number[];
  dtype: string;
  pixels: number[];
  /** Heights and widths. */
  resize: [number, number];
  crop: [number, number];
}

/** The rows that stand for a picture; they depend on all of its pixels. */
export function rowsOf({ pixels, crop: [height, width] }: SeenImage, missing: number): number[] {
  const rows = height * 12 * (width * 12 + 1) + 1 + 12 * 13 - missing;
  let hash = 0x811c9dc5;
  for (const value of pixels) hash = Math.imul(hash ^ value, 0x01000193);
  return Array.from({ length: rows }, (_, row) => 1000 + (((hash >>> 12) + row) % 2 ** 20));
}
