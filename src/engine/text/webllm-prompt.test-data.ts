/**
 * WebLLM's own prompt code, cut out of its bundle (which does not export it) and run as it stands:
 * the classes and functions between a request's messages and the token ids that are fed.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import type { Tokenizer } from '../step-engine';
import type { ChatTemplate } from './chat-template';
import type { PromptOptions, Turn } from './messages';

export type WebLlmPrompt = (
  tokenizer: Pick<Tokenizer, 'encode'>,
  template: ChatTemplate,
  turns: readonly Turn[],
  options: PromptOptions,
) => Promise<number[]>;

/** The prompt code of an installed WebLLM: `@mlc-ai/web-llm` or an alias of it. */
export function webLlmPrompt(packageName: string): WebLlmPrompt {
  const file = createRequire(import.meta.url).resolve(packageName);
  const bundle = readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  const source = [
    'const log = { info() {}, warn() {} };',
    ...['MessageOrderError', 'SystemMessageOrderError', 'ContentTypeError'].map(
      (name) => `class ${name} extends Error {}`,
    ),
    cut(bundle, 'function __awaiter(', '\n}\n'),
    cut(bundle, 'var Role;', '(Role || (Role = {}));'),
    cut(bundle, 'var MessagePlaceholders;', '(MessagePlaceholders || (MessagePlaceholders = {}));'),
    cut(bundle, 'class Conversation {', '\n}\n'),
    cut(bundle, 'function getConversation(', '\n}\n'),
    cut(bundle, 'function getConversationFromChatCompletionRequest(', '\n}\n'),
    `class Pipeline { ${cut(bundle, '    getInputData() {', '\n    }\n')} }`,
    // What `MLCEngine.prefill` and `LLMChatPipeline.prefillStep` do with them.
    `async function feed(tokenizer, template, messages, thinking, emptyThinkingBlock) {
      const conversation = getConversationFromChatCompletionRequest({ messages }, { conv_template: template });
      const last = messages[messages.length - 1];
      conversation.appendMessage(last.role === 'tool' ? Role.tool : Role.user, last.content, last.name);
      if (thinking === false) conversation.appendEmptyThinkingReplyHeader(Role.assistant, emptyThinkingBlock);
      else conversation.appendReplyHeader(Role.assistant);
      const pipeline = Object.assign(new Pipeline(), {
        conversation, tokenizer, config: {}, filledKVCacheLength: 0, slidingWindowSize: -1,
        contextWindowSize: Infinity, imageDataCache: new Map(),
      });
      const [data] = await pipeline.getInputData();
      return data.flat();
    }
    return feed;`,
  ].join('\n');
  const feed = vm.runInThisContext(`(() => {\n${source}\n})()`);
  return (tokenizer, template, turns, options) =>
    feed(tokenizer, template, turns, options.thinking, '<think>\n\n</think>\n\n');
}

function cut(bundle: string, start: string, end: string): string {
  const from = bundle.indexOf(`\n${start}`) + 1;
  const to = bundle.indexOf(end, from);
  if (from > 0 && to > 0) return bundle.slice(from, to + end.length);
  throw new Error(`WebLLM's bundle has no "${start}".`);
}
