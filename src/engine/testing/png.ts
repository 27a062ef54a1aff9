/**
 * PNGs, and a browser's way to look at them, for tests in Node, which has none: `createImageBitmap` and an
 * `OffscreenCanvas` that know these PNGs alone. What browsers make of images is tested in browsers (e2e).
 */

/** Red, green, blue and what is seen of it, 0 to 255. */
type Colour = readonly [number, number, number, number];

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A picture's file: 8 bits a channel, not compressed. */
export function png(
  width: number,
  height: number,
  colour: (x: number, y: number) => Colour,
): Uint8Array<ArrayBuffer> {
  const lines = new Uint8Array(height * (1 + width * 4));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) lines.set(colour(x, y), y * (1 + width * 4) + 1 + x * 4);
  }
  const header = [...u32(width), ...u32(height), 8, 6, 0, 0, 0];
  const chunks = [chunk('IHDR', header), chunk('IDAT', stored(lines)), chunk('IEND', [])];
  return Uint8Array.from([SIGNATURE, ...chunks].flatMap((part) => [...part]));
}

/** A picture of one's own for each number: of some colours, nothing of it transparent. */
export function picture(seed: number, width = 6, height = 4): Uint8Array<ArrayBuffer> {
  return png(width, height, (x, y) => [
    (seed * 37 + x * 50) % 256,
    (seed * 59 + y * 60) % 256,
    (seed * 83 + x * y) % 256,
    255,
  ]);
}

export function dataUrl(bytes: Uint8Array, type = 'image/png'): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `data:${type};base64,${btoa(binary)}`;
}

/** zlib without compression, as blocks of up to 65,535 bytes. */
function stored(bytes: Uint8Array): number[] {
  const out = [0x78, 0x01];
  for (let at = 0; at < bytes.length || at === 0; at += 0xffff) {
    const block = bytes.subarray(at, at + 0xffff);
    const size = block.length;
    const isLast = at + size >= bytes.length ? 1 : 0;
    out.push(isLast, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255);
    for (const byte of block) out.push(byte);
  }
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return [...out, ...u32(((b << 16) | a) >>> 0)];
}

function chunk(type: string, data: readonly number[]): number[] {
  const body = [...type].map((letter) => letter.charCodeAt(0)).concat(data);
  return [...u32(data.length), ...body, ...u32(crc(body))];
}

function u32(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}

function crc(bytes: readonly number[]): number {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

class Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
  closed = false;

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.width = view.getUint32(16);
    this.height = view.getUint32(20);
    const lines: number[] = [];
    // The one chunk of data, behind the header: blocks behind two bytes.
    for (let at = 43, isLast = false; !isLast; ) {
      isLast = bytes[at] === 1;
      const size = view.getUint16(at + 1, true);
      for (let i = 0; i < size; i++) lines.push(view.getUint8(at + 5 + i));
      at += 5 + size;
    }
    const line = 1 + this.width * 4;
    if (lines.length !== line * this.height) throw new Error('It is cut off.');
    this.data = Uint8ClampedArray.from(lines.filter((_, i) => i % line > 0));
  }

  close(): void {
    this.closed = true;
  }
}

class Canvas {
  readonly width: number;
  readonly height: number;
  fillStyle = 'black';
  readonly #data: Uint8ClampedArray;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#data = new Uint8ClampedArray(width * height * 4);
  }

  getContext(): this {
    return this;
  }

  fillRect(): void {
    this.#data.fill(this.fillStyle === 'white' ? 255 : 0);
    for (let i = 3; i < this.#data.length; i += 4) this.#data[i] = 255;
  }

  /** Each pixel as the nearest of the picture. */
  drawImage(
    bitmap: Bitmap,
    left: number,
    top: number,
    width = bitmap.width,
    height = bitmap.height,
  ) {
    if (bitmap.closed) throw new Error('The bitmap is closed.');
    for (let y = Math.max(0, top); y < Math.min(this.height, top + height); y++) {
      for (let x = Math.max(0, left); x < Math.min(this.width, left + width); x++) {
        const fromX = Math.floor(((x - left + 0.5) * bitmap.width) / width);
        const fromY = Math.floor(((y - top + 0.5) * bitmap.height) / height);
        const from = (fromY * bitmap.width + fromX) * 4;
        const to = (y * this.width + x) * 4;
        const seen = bitmap.data[from + 3] / 255;
        for (let i = 0; i < 3; i++) {
          this.#data[to + i] = bitmap.data[from + i] * seen + this.#data[to + i] * (1 - seen);
        }
        this.#data[to + 3] = Math.max(this.#data[to + 3], bitmap.data[from + 3]);
      }
    }
  }

  getImageData(_x: number, _y: number, width: number, height: number) {
    return { width, height, data: this.#data.slice(0, width * height * 4) };
  }
}

/** Gives Node what a browser has. Returns how many pictures were decoded, and how to take it back. */
export function installDecoder(): { decoded: () => number; uninstall: () => void } {
  let decoded = 0;
  const made = {
    OffscreenCanvas: Canvas,
    createImageBitmap: async (blob: Blob) => {
      decoded++;
      return new Bitmap(new Uint8Array(await blob.arrayBuffer()));
    },
  };
  Object.assign(globalThis, made);
  const uninstall = () => {
    for (const name of Object.keys(made)) Reflect.deleteProperty(globalThis, name);
  };
  return { decoded: () => decoded, uninstall };
}
