import type { ResponseFormat, UserMessage } from '../client';
import { isObject } from './idl';
import type { Prompt } from './prompt';

/** What an answer is held to. */
export interface Constraint {
  format: ResponseFormat;
  /** The same in words, for the model. */
  words: string;
}

/** Throws a TypeError for what is neither a JSON schema nor a RegExp. */
export function readConstraint(value: unknown): Constraint | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof RegExp) {
    return {
      format: { type: 'regex', pattern: value.source },
      words: `Answer with a text that matches this regular expression, and nothing else:\n${value.source}`,
    };
  }
  if (!isObject(value) || Array.isArray(value) || typeof value === 'function') {
    throw new TypeError('responseConstraint must be a JSON schema or a RegExp.');
  }
  const json = JSON.stringify(value);
  const schema: unknown = JSON.parse(json);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw new TypeError('responseConstraint must be a JSON schema or a RegExp.');
  }
  return {
    format: { type: 'json_schema', json_schema: { name: 'response', schema: { ...schema } } },
    words: `Answer with JSON that follows this JSON schema, and nothing else:\n${json}`,
  };
}

/** The prompt with the constraint at the end of the user's words. */
export function guided({ messages, continued }: Prompt, words: string): Prompt {
  const at = messages.findLastIndex(({ role }) => role === 'user');
  if (at >= 0) {
    const { content } = messages[at] as UserMessage;
    const spoken: UserMessage = {
      role: 'user',
      content:
        typeof content === 'string'
          ? `${content}\n\n${words}`
          : [...content, { type: 'text', text: `\n${words}` }],
    };
    return { messages: messages.with(at, spoken), continued };
  }
  const end = continued ? messages.length - 1 : messages.length;
  return { messages: messages.toSpliced(end, 0, { role: 'user', content: words }), continued };
}
