/**
 * How Phi-3.5-vision takes images, the one kind of vision model that WebLLM 0.2.86 has rules for (its
 * `calculateResizeShape`, `calculateCropShape` and `computeImageEmbedSize`): the picture is scaled to up
 * to 16 squares of 336 pixels, small ones are scaled up, and each square becomes 12 × 12 tokens, with one at
 * the end of each line and one before a square of the whole.
 */
import type { ImageInput, ImagePlan } from '../step-engine';

/** Pixels a side of the squares that the model looks at. */
const SQUARE = 336;
const MOST_SQUARES = 16;
/** Tokens a side of a square. */
const GRID = 12;

/**
 * What is fed of a larger picture is scaled down to this many pixels first (1920 × 1080 is fed as it is).
 * More the model would not see: it scales to 16 squares, which are 1.8 million. WebLLM feeds every picture
 * whole, at 12 bytes a pixel.
 */
const MOST_PIXELS = 2 ** 21;

/** What `image_embed` is told beside a picture of some size; pixels, and squares. */
export interface Phi3vShape {
  resize: { height: number; width: number };
  crop: { height: number; width: number };
  /** Rows of the embedding. */
  rows: number;
}

/** Undefined for a picture that is too narrow: more than 16 times as high as wide, or wider than 5376 to 1. */
export function phi3vShape(width: number, height: number): Phi3vShape | undefined {
  const ratio = width / height;
  let across = 0;
  while ((across + 1) * Math.ceil((across + 1) / ratio) <= MOST_SQUARES) across++;
  const resize = { width: across * SQUARE, height: Math.floor((across * SQUARE) / ratio) };
  const crop = { height: Math.ceil(resize.height / SQUARE), width: across };
  if (resize.height < 1) return undefined;
  const squares = crop.height * GRID * (crop.width * GRID + 1);
  return { resize, crop, rows: squares + 1 + GRID * (GRID + 1) };
}

function plan(width: number, height: number): ImagePlan | string {
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  const fed = {
    width: Math.max(1, Math.floor(width * scale)),
    height: Math.max(1, Math.floor(height * scale)),
  };
  const shape = phi3vShape(fed.width, fed.height);
  if (shape === undefined) {
    return `it is ${width} × ${height} pixels, too narrow for this model, which sees up to 16 squares of ${SQUARE} × ${SQUARE}. Cut it to pieces.`;
  }
  return { ...fed, drawn: { left: 0, top: 0, ...fed }, rows: shape.rows };
}

/** WebLLM has the images of a message before its text, each on a line of its own. */
export const PHI3V: Pick<ImageInput, 'layout' | 'plan'> = {
  layout: { place: 'before text', separator: '\n' },
  plan,
};
