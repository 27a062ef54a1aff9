/** What an image's file says of itself, whatever its name or its sender says: read before it is decoded. */

export interface ImageHeader {
  /** `image/png` */
  type: string;
  /** Pixels, as they are stored: a photo may say elsewhere that it is to be turned. */
  width: number;
  height: number;
  /** It has further frames. */
  animated: boolean;
}

/** Undefined for what is none of the formats that browsers decode: PNG, JPEG, WebP, GIF, AVIF, BMP. */
export function imageHeader(bytes: Uint8Array): ImageHeader | undefined {
  try {
    return new Header(bytes).read();
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined; // it ends within its header
    throw thrown;
  }
}

class Header {
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): ImageHeader | undefined {
    if (this.#text(1, 3) === 'PNG' && this.#text(12, 4) === 'IHDR') return this.#png();
    if (this.#view.getUint16(0) === 0xffd8) return this.#jpeg();
    if (this.#text(0, 4) === 'GIF8') return this.#gif();
    if (this.#text(0, 2) === 'BM') return this.#bmp();
    if (this.#text(4, 4) === 'ftyp' && /^avi[fs]$/.test(this.#text(8, 4))) return this.#avif();
    if (this.#text(0, 4) === 'RIFF' && this.#text(8, 4) === 'WEBP') return this.#webp();
    return undefined;
  }

  /** Chunks: length, type, data, checksum. One before the data says that it is animated (APNG). */
  #png(): ImageHeader {
    let at = 8;
    while (!['IDAT', 'acTL', 'IEND'].includes(this.#text(at + 4, 4))) {
      at += this.#view.getUint32(at) + 12;
    }
    const animated = this.#text(at + 4, 4) === 'acTL';
    return this.#header('png', this.#view.getUint32(16), this.#view.getUint32(20), animated);
  }

  /** Segments, each with its length, up to the one that begins a frame; 0xff may be repeated before each. */
  #jpeg(): ImageHeader {
    let at = 2;
    let marker = this.#view.getUint8(at + 1);
    while (marker < 0xc0 || marker > 0xcf || [0xc4, 0xc8, 0xcc].includes(marker)) {
      at += marker === 0xff ? 1 : 2 + this.#view.getUint16(at + 2);
      marker = this.#view.getUint8(at + 1);
    }
    return this.#header('jpeg', this.#view.getUint16(at + 7), this.#view.getUint16(at + 5));
  }

  #gif(): ImageHeader {
    const width = this.#view.getUint16(6, true);
    const height = this.#view.getUint16(8, true);
    return this.#header('gif', width, height, this.#gifFrames() > 1);
  }

  /** Blocks: extensions and pictures, which are made of pieces with their lengths. Up to 2. */
  #gifFrames(): number {
    const { byteLength } = this.#view;
    const tableSize = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
    let frames = 0;
    let at = 13 + tableSize(this.#view.getUint8(10));
    while (frames < 2 && at < byteLength) {
      const kind = this.#view.getUint8(at);
      if (kind === 0x2c) {
        frames++;
        at += 11 + tableSize(this.#view.getUint8(at + 9));
      } else if (kind === 0x21) at += 2;
      else break;
      while (at < byteLength && this.#view.getUint8(at) > 0) at += 1 + this.#view.getUint8(at);
      at++;
    }
    return frames;
  }

  #bmp(): ImageHeader {
    const height = Math.abs(this.#view.getInt32(22, true));
    return this.#header('bmp', this.#view.getInt32(18, true), height);
  }

  /** The size is a property of the picture, among others. */
  #avif(): ImageHeader | undefined {
    const most = Math.min(this.#view.byteLength - 16, 4096);
    for (let at = 12; at <= most; at++) {
      if (this.#text(at, 4) !== 'ispe') continue;
      const animated = this.#text(8, 4) === 'avis';
      const [width, height] = [at + 8, at + 12].map((field) => this.#view.getUint32(field));
      return this.#header('avif', width, height, animated);
    }
    return undefined;
  }

  #webp(): ImageHeader | undefined {
    const small = (at: number) => this.#view.getUint16(at, true) & 0x3fff;
    const large = (at: number) =>
      1 + this.#view.getUint16(at, true) + 2 ** 16 * this.#view.getUint8(at + 2);
    switch (this.#text(12, 4)) {
      case 'VP8 ':
        return this.#header('webp', small(26), small(28));
      case 'VP8L': {
        const bits = this.#view.getUint32(21, true);
        return this.#header('webp', 1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff));
      }
      case 'VP8X': {
        const animated = (this.#view.getUint8(20) & 2) !== 0;
        return this.#header('webp', large(24), large(27), animated);
      }
      default:
        return undefined;
    }
  }

  #header(kind: string, width: number, height: number, animated = false): ImageHeader {
    return { type: `image/${kind}`, width, height, animated };
  }

  #text(at: number, length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.#view.getUint8(at + i));
    return text;
  }
}
