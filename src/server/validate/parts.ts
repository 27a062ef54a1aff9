/**
 * What a message holds: a text, or a list of parts. The models that are served read text, so that is
 * what the parts come to.
 */
import { TempoError } from '../../scheduler';
import { expect, ignored, isRecord, object, oneOf, type Reader, text } from './fields';

const cacheBreakpoint = ignored('what prompts share is found by itself');

const TEXT_PART = object({ type: text, text, prompt_cache_breakpoint: cacheBreakpoint }, [
  'type',
  'text',
]);
const REFUSAL_PART = object({ type: text, refusal: text }, ['refusal']);

/** Parts that OpenAI's users may send and that no text model reads. */
const MEDIA: readonly unknown[] = ['image_url', 'input_audio', 'file'];

type PartReader = Reader<string>;

const onlyText = oneOf('text');

const textPart: PartReader = (part, at, reading) => {
  if (isRecord(part)) onlyText(part.type, `${at}.type`, reading);
  return TEXT_PART(part, at, reading).text;
};

const assistantPart: PartReader = (part, at, reading) =>
  isRecord(part) && part.type === 'refusal'
    ? REFUSAL_PART(part, at, reading).refusal
    : textPart(part, at, reading);

const userPart: PartReader = (part, at, reading) => {
  if (isRecord(part) && MEDIA.includes(part.type)) {
    throw new TempoError(
      'unsupported',
      `The model "${reading.model}" reads text only; ${at} is of type ${part.type}.`,
      { param: at },
    );
  }
  return textPart(part, at, reading);
};

/** Each part is a line of its own, as vLLM has it for models that read text. */
function contentOf(part: PartReader): Reader<string> {
  return (content, at, reading) => {
    if (typeof content === 'string') return content;
    const holds = Array.isArray(content) && content.length > 0;
    expect(holds, at, `${at} must be a string, or a list of parts`, content);
    return content.map((one, i) => part(one, `${at}[${i}]`, reading)).join('\n');
  };
}

/** The content of a message that a person or a page wrote. */
export const userContent = contentOf(userPart);
/** The content of an assistant's message: a refusal is what it said, too. */
export const assistantContent = contentOf(assistantPart);
/** Any other message's content. */
export const textContent = contentOf(textPart);
