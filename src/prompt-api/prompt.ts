/**
 * What a page prompts with, turned into chat messages
 * (webmachinelearning.github.io/prompt-api, "validate and canonicalize a prompt").
 */
import type { ChatMessage } from '../client';
import { dictionary, enumeration, sequence } from './idl';
import type { LanguageModelMessageRole, LanguageModelMessageType } from './types';

const ROLES: readonly LanguageModelMessageRole[] = ['system', 'user', 'assistant'];
export const TYPES: readonly LanguageModelMessageType[] = [
  'text',
  'image',
  'audio',
  'tool-call',
  'tool-response',
];

/** A message as the page gave it, a copy of its own. */
export interface PromptMessage {
  role: LanguageModelMessageRole;
  content: { type: LanguageModelMessageType; value: unknown }[];
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

function readContent(value: unknown, i: number): PromptMessage['content'][number] {
  const part = dictionary(value, `A content of message ${i}`);
  if (part.value === undefined || part.value === null)
    throw new TypeError(`A content of message ${i} has no value.`);
  const type = enumeration(part.type, TYPES, `The type of a content of message ${i}`);
  return { type, value: part.value };
}

/**
 * Throws a TypeError for a system message that is not the first of all, a SyntaxError for a prefix that
 * is not the end, and a NotSupportedError for content that the model does not take.
 */
export function checkPrompt(messages: readonly PromptMessage[], hasHistory: boolean): Prompt {
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
    messages: messages.map(({ role, content }) => ({ role, content: textOf(content) })),
    continued: messages.at(-1)?.prefix ?? false,
  };
}

function textOf(content: PromptMessage['content']): string {
  return content.map(({ type, value }) => asText(type, value)).join('');
}

function asText(type: LanguageModelMessageType, value: unknown): string {
  if (type !== 'text') {
    throw new DOMException(
      `This model takes text only, no content of type ${type}.`,
      'NotSupportedError',
    );
  }
  if (typeof value === 'object' || typeof value === 'function') {
    throw new TypeError('The value of a text must be a string.');
  }
  return String(value);
}
