/**
 * What a message holds: a text, or a list of parts. The texts among them come to one text; images stay
 * beside it, for models that take them.
 */
import { TempoError } from '../../scheduler';
import {
  expect,
  ignored,
  isRecord,
  object,
  oneOf,
  type Reader,
  type Reading,
  text,
} from './fields';

/** An image as it was asked for; nothing of it is loaded. */
export interface ImageSource {
  /** Its address, or itself. */
  url: string | Blob;
  /** Where in the message's text it stands, characters. */
  at: number;
  /** The field that it came in, for errors. */
  param: string;
}

/** What a person or a page wrote. */
export interface UserContent {
  text: string;
  images: ImageSource[];
}

const cacheBreakpoint = ignored('what prompts share is found by itself');

const TEXT_PART = object({ type: text, text, prompt_cache_breakpoint: cacheBreakpoint }, [
  'type',
  'text',
]);
const REFUSAL_PART = object({ type: text, refusal: text }, ['refusal']);

/** Parts that OpenAI's users may send and that not every model reads. */
const MEDIA: readonly unknown[] = ['image_url', 'input_audio', 'file'];

const ADDRESS = /^(data|https?|blob):/i;

const imageAddress: Reader<string | Blob> = (value, at) => {
  if (typeof Blob !== 'undefined' && value instanceof Blob) return value;
  const words = `${at} must be an address that begins with data:, https:, http: or blob:, or a Blob`;
  expect(typeof value === 'string' && ADDRESS.test(value), at, words, value);
  return value;
};

const detail = oneOf('auto', 'low', 'high', 'original');
const detailIgnored = ignored('every image is seen as finely as the model can');

const IMAGE_PART = object(
  {
    type: text,
    image_url: object(
      {
        url: imageAddress,
        detail: (value, at, reading) => {
          if (detail(value, at, reading) !== 'low') return undefined;
          return detailIgnored(value, at, reading);
        },
      },
      ['url'],
    ),
    prompt_cache_breakpoint: cacheBreakpoint,
  },
  ['image_url'],
);

type PartReader = Reader<string>;

const onlyText = oneOf('text');

const textPart: PartReader = (part, at, reading) => {
  if (isRecord(part)) {
    refuseMedia(part, at, reading);
    onlyText(part.type, `${at}.type`, reading);
  }
  return TEXT_PART(part, at, reading).text;
};

/** Throws `unsupported` for a part that is no text: no model reads it, or this one not, or not here. */
function refuseMedia({ type }: Record<string, unknown>, at: string, reading: Reading): void {
  if (!MEDIA.includes(type)) return;
  const takes = reading.images ? 'reads text and images only' : 'reads text only';
  const sentence =
    reading.images && type === 'image_url'
      ? `Images are taken in messages of the role user alone; ${at} is in another. Move it to one.`
      : `The model "${reading.model}" ${takes}; ${at} is of type ${type}.`;
  throw new TempoError('unsupported', sentence, { param: at });
}

const assistantPart: PartReader = (part, at, reading) =>
  isRecord(part) && part.type === 'refusal'
    ? REFUSAL_PART(part, at, reading).refusal
    : textPart(part, at, reading);

const textOrImage = oneOf('text', 'image_url');

/** Each part is a line of its own, as vLLM has it for models that read text. */
function contentOf(part: PartReader): Reader<string> {
  return (content, at, reading) => {
    if (typeof content === 'string') return content;
    const holds = Array.isArray(content) && content.length > 0;
    expect(holds, at, `${at} must be a string, or a list of parts`, content);
    return content.map((one, i) => part(one, `${at}[${i}]`, reading)).join('\n');
  };
}

/** The content of an assistant's message: a refusal is what it said, too. */
export const assistantContent = contentOf(assistantPart);
/** Content that is text alone. */
export const textContent = contentOf(textPart);

/** The content of a message that a person or a page wrote. */
export const userContent: Reader<UserContent> = (content, at, reading) => {
  if (typeof content === 'string' || !reading.images) {
    return { text: textContent(content, at, reading), images: [] };
  }
  const holds = Array.isArray(content) && content.length > 0;
  expect(holds, at, `${at} must be a string, or a list of parts`, content);
  const texts: string[] = [];
  const images: ImageSource[] = [];
  content.forEach((part: unknown, i) => {
    const param = `${at}[${i}]`;
    if (isRecord(part) && part.type === 'image_url') {
      const { image_url } = IMAGE_PART(part, param, reading);
      images.push({
        url: image_url.url,
        at: texts.join('\n').length,
        param: `${param}.image_url.url`,
      });
      return;
    }
    if (isRecord(part)) {
      refuseMedia(part, param, reading);
      textOrImage(part.type, `${param}.type`, reading);
    }
    texts.push(TEXT_PART(part, param, reading).text);
  });
  return { text: texts.join('\n'), images };
};
