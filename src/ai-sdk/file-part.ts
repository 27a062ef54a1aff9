import { type LanguageModelV4FilePart, UnsupportedFunctionalityError } from '@ai-sdk/provider';

/** A part of a message's content, as OpenAI's API has it. */
export type ContentPart =
  | { type: 'text'; text: string }
  | { type: 'image_url'; image_url: { url: string } };

/** Texts come as texts, images as addresses. Throws `UnsupportedFunctionalityError` for other files. */
export function filePart({ data, mediaType }: LanguageModelV4FilePart): ContentPart {
  const [kind] = mediaType.split('/');
  if (data.type === 'reference') throw unsupported('references to files kept by a provider');
  if (data.type === 'text') return { type: 'text', text: data.text };
  if (kind === 'text' && data.type === 'data') return { type: 'text', text: decode(data.data) };
  if (kind !== 'image') throw unsupported(`files of type ${mediaType}`);
  if (data.type === 'url') return image(data.originalUrl ?? data.url.href);
  // The file says itself what it is.
  return image(`data:${mediaType};base64,${encode(data.data)}`);
}

function image(url: string): ContentPart {
  return { type: 'image_url', image_url: { url } };
}

/** Bytes, or base64 of them, as text. */
function decode(data: Uint8Array | string): string {
  const bytes =
    typeof data === 'string'
      ? Uint8Array.from(atob(standard(data)), (char) => char.charCodeAt(0))
      : data;
  return new TextDecoder().decode(bytes);
}

/** Base64 of bytes, or what is base64 already. */
function encode(data: Uint8Array | string): string {
  if (typeof data === 'string') return standard(data);
  let binary = '';
  // Not at once: an image has more bytes than a call may have arguments.
  for (let at = 0; at < data.length; at += 8192) {
    binary += String.fromCharCode(...data.subarray(at, at + 8192));
  }
  return btoa(binary);
}

/** Base64 of the kind for addresses as that of all else. */
function standard(base64: string): string {
  return base64.replaceAll('-', '+').replaceAll('_', '/');
}

function unsupported(functionality: string): UnsupportedFunctionalityError {
  return new UnsupportedFunctionalityError({
    functionality,
    message: `Tempo does not take ${functionality}.`,
  });
}
