import {
  type LanguageModelV4FilePart,
  type LanguageModelV4Message,
  type LanguageModelV4Prompt,
  type LanguageModelV4ToolCallPart,
  type LanguageModelV4ToolResultPart,
  type SharedV4Warning,
  UnsupportedFunctionalityError,
} from '@ai-sdk/provider';
import { type ContentPart, filePart } from './file-part';

/** A message as OpenAI's API has it. */
export type Message =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | ContentPart[] }
  | { role: 'assistant'; content: string | null; tool_calls?: ToolCall[] }
  | { role: 'tool'; content: string | ContentPart[]; tool_call_id: string };

interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

type AssistantPart = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'][number];

/**
 * The AI SDK's prompt as OpenAI's messages. System messages at the beginning become one. What an
 * earlier answer thought is left out, as models' own chat templates do. Throws
 * `UnsupportedFunctionalityError` for files that are neither text nor images.
 */
export function messagesOf(prompt: LanguageModelV4Prompt, warnings: SharedV4Warning[]): Message[] {
  const messages: Message[] = [];
  for (const message of prompt) {
    switch (message.role) {
      case 'system': {
        const last = messages.at(-1);
        if (messages.length === 1 && last?.role === 'system') {
          last.content = `${last.content}\n\n${message.content}`;
        } else messages.push({ role: 'system', content: message.content });
        break;
      }
      case 'user':
        messages.push({ role: 'user', content: contentOf(message.content) });
        break;
      case 'assistant':
        messages.push(...answerOf(message.content, warnings));
        break;
      case 'tool':
        for (const part of message.content) {
          if (part.type === 'tool-result') messages.push(resultOf(part));
        }
    }
  }
  return messages;
}

/** An earlier answer; results that came within it (of tools that its provider ran) divide it. */
function answerOf(parts: readonly AssistantPart[], warnings: SharedV4Warning[]): Message[] {
  const messages: Message[] = [];
  let text = '';
  let calls: ToolCall[] = [];
  const say = () => {
    if (calls.length > 0) {
      messages.push({ role: 'assistant', content: text || null, tool_calls: calls });
    } else messages.push({ role: 'assistant', content: text });
    text = '';
    calls = [];
  };
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        text += part.text;
        break;
      case 'tool-call':
        calls.push(callOf(part));
        break;
      case 'tool-result':
        if (text !== '' || calls.length > 0) say();
        messages.push(resultOf(part));
        break;
      case 'file':
      case 'reasoning-file':
        warnings.push({
          type: 'unsupported',
          feature: 'files in assistant messages',
          details: `A file of type ${part.mediaType} was left out.`,
        });
    }
  }
  if (text !== '' || calls.length > 0 || messages.length === 0) say();
  return messages;
}

function callOf({ toolCallId, toolName, input }: LanguageModelV4ToolCallPart): ToolCall {
  return {
    id: toolCallId,
    type: 'function',
    function: { name: toolName, arguments: argumentsOf(input) },
  };
}

function argumentsOf(input: unknown): string {
  if (typeof input === 'string') {
    try {
      JSON.parse(input);
      return input;
    } catch {
      // a text, to be made JSON
    }
  }
  return JSON.stringify(input ?? {});
}

function resultOf({ toolCallId, output }: LanguageModelV4ToolResultPart): Message {
  const result = (content: string | ContentPart[]): Message => ({
    role: 'tool',
    tool_call_id: toolCallId,
    content,
  });
  switch (output.type) {
    case 'text':
    case 'error-text':
      return result(output.value);
    case 'json':
    case 'error-json':
      return result(JSON.stringify(output.value));
    case 'execution-denied':
      return result(output.reason ?? 'Tool call execution denied.');
    case 'content':
      return result(
        contentOf(
          output.value.map((part) => {
            if (part.type !== 'custom') return part;
            throw new UnsupportedFunctionalityError({
              functionality: 'custom parts in tool results',
            });
          }),
        ),
      );
  }
}

type InputPart = { type: 'text'; text: string } | LanguageModelV4FilePart;

/** Texts become one, line by line; with images among them they stay parts. */
function contentOf(parts: readonly InputPart[]): string | ContentPart[] {
  const content = parts.map(
    (part): ContentPart =>
      part.type === 'text' ? { type: 'text', text: part.text } : filePart(part),
  );
  const texts = content.flatMap((part) => (part.type === 'text' ? part.text : []));
  return texts.length === content.length ? texts.join('\n') : content;
}
