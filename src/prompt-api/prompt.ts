/**
 * What a page prompts with, turned into chat messages
 * (webmachinelearning.github.io/prompt-api, "validate and canonicalize a prompt").
 */
import type { ChatMessage, ImagePart, TextPart } from '../client';
import { dictionary, enumeration, sequence } from './idl';
import { imageFile } from './image';
import type { LanguageModelMessageRole, LanguageModelMessageType } from './types';

const ROLES: readonly LanguageModelMessageRole[] = ['system', 'user', 'assistant'];
export const TYPES: readonly LanguageModelMessageType[] = [
  'text',
  'image',
  'audio',
  'tool-call',
  'tool-response',
];

type PromptContent =
  | { type: Exclude<LanguageModelMessageType, 'image'>; value: unknown }
  | { type: 'image'; file: Promise<Blob> };

/** A message as the page gave it, a copy of its own. */
export interface PromptMessage {
  role: LanguageModelMessageRole;
  content: PromptContent[];
  prefix: boolean;
}

/** Chat messages; the last of them may be an answer that is to be continued. */
export interface Prompt {
  messages: ChatMessage[];
  continued: boolean;
}

/** Copies what the page gave. Throws a TypeError for what has no such shape. */
export function readPrompt(input: unknown): PromptMessage[] {
  if (input === undefined || input === null)
    throw new TypeError('There is nothing to prompt with.');
  const messages = sequence(input);
  return messages === undefined
    ? [{ role: 'user', content: [{ type: 'text', value: String(input) }], prefix: false }]
    : messages.map(readMessage);
}

function readMessage(value: unknown, i: number): PromptMessage {
  const message = dictionary(value, `Message ${i}`);
  for (const field of ['role', 'content']) {
    if (message[field] === undefined || message[field] === null) {
      throw new TypeError(`Message ${i} has no ${field}.`);
    }
  }
  const parts = sequence(message.content);
  return {
    role: enumeration(message.role, ROLES, `The role of message ${i}`),
    content: parts?.map((part) => readContent(part, i)) ?? [
      { type: 'text', value: String(message.content) },
    ],
    prefix: Boolean(message.prefix),
  };
}

function readContent(value: unknown, i: number): PromptContent {
  const part = dictionary(value, `A content of message ${i}`);
  if (part.value === undefined || part.value === null)
    throw new TypeError(`A content of message ${i} has no value.`);
  const type = enumeration(part.type, TYPES, `The type of a content of message ${i}`);
  if (type !== 'image') return { type, value: part.value };
  const file = imageFile(part.value);
  file.catch(() => {}); // told when the message's turn comes
  return { type, file };
}

/** Where a prompt comes in. */
export interface Place {
  /** There are messages before it. */
  hasHistory: boolean;
  /** Why images are not taken; undefined where they are. */
  noImages: string | undefined;
}

/**
 * Rejects with a TypeError for a system message that is not the first of all, a SyntaxError for a prefix
 * that is not the end, a NotSupportedError for content that is not taken, and with what is wrong with an
 * image.
 */
export async function checkPrompt(
  messages: readonly PromptMessage[],
  { hasHistory, noImages }: Place,
): Promise<Prompt> {
  messages.forEach(({ role, prefix }, i) => {
    if (role === 'system' && (hasHistory || i > 0)) {
      throw new TypeError('A system message must be the first of all messages.');
    }
    if (prefix && (role !== 'assistant' || i < messages.length - 1)) {
      throw new DOMException(
        'Only the last message, the assistant’s, can be a prefix.',
        'SyntaxError',
      );
    }
  });
  return {
    messages: await Promise.all(messages.map((message) => messageOf(message, noImages))),
    continued: messages.at(-1)?.prefix ?? false,
  };
}

async function messageOf(
  { role, content }: PromptMessage,
  noImages: string | undefined,
): Promise<ChatMessage> {
  const parts: (TextPart | ImagePart)[] = [];
  for (const part of content) {
    const last = parts.at(-1);
    if (part.type === 'image') {
      if (noImages !== undefined) throw notSupported(noImages);
      if (role !== 'user') throw notSupported('Images are taken in messages of the user’s alone.');
      parts.push({ type: 'image_url', image_url: { url: await part.file } });
    } else if (last?.type === 'text') last.text += asText(part.type, part.value);
    else parts.push({ type: 'text', text: asText(part.type, part.value) });
  }
  const [first, ...others] = parts;
  if (first === undefined) return { role, content: '' };
  if (first.type === 'text' && others.length === 0) return { role, content: first.text };
  return { role: 'user', content: parts };
}

function asText(type: LanguageModelMessageType, value: unknown): string {
  if (type !== 'text') throw notSupported(`No content of type ${type} is taken here.`);
  if (typeof value === 'object' || typeof value === 'function') {
    throw new TypeError('The value of a text must be a string.');
  }
  return String(value);
}

function notSupported(sentence: string): DOMException {
  return new DOMException(sentence, 'NotSupportedError');
}
