/**
 * Our prompts against WebLLM's own prompt code, cut out of its bundle (which does not export it) and
 * run as it stands: the classes and functions between a request's messages and the ids that are fed.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tokenizer } from '../step-engine';
import { ByteLevelTokenizer } from '../testing/byte-tokenizer';
import { CONVERSATIONS, TEMPLATES } from '../testing/conversations';
import { type ChatTemplate, encodePrompt, promptPieces } from './chat-template';
import type { PromptOptions, Turn } from './messages';

/** Merges across what our pieces keep apart, so that a piece in the wrong place shows. */
const tokenizer = new ByteLevelTokenizer([
  '<|im_start|>',
  '<|im_end|>',
  '<|im_end|>\n<|im_start|>',
  'user\n',
  '\n\n',
  ' the',
  '你好',
]);

const user = (content: string): Turn => ({ role: 'user', content });

describe.each(['@mlc-ai/web-llm', 'web-llm-0.2.79'])('the tokens fed equal those of %s', (name) => {
  const webLlm = webLlmPrompt(name);

  for (const [model, template] of Object.entries(TEMPLATES)) {
    it.each(CONVERSATIONS.filter((one) => !one.needsToolRole || template.roles.tool))(
      `${model}: $name`,
      async ({ turns, options = {} }) => {
        const expected = await webLlm(tokenizer, template, turns, options);
        expect([...encodePrompt(tokenizer, template, turns, options).tokens]).toEqual(expected);
      },
    );
  }

  it('for any conversation without “$”', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((s) => s.replaceAll('$', '€'));
    const turn = fc.record<Turn>({ role: fc.constantFrom('user', 'assistant'), content: text });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(TEMPLATES)),
        fc.option(text),
        fc.array(turn, { maxLength: 5 }),
        text,
        async (template, system, middle, last) => {
          const turns: Turn[] = [...middle, user(last)];
          if (system !== null) turns.unshift({ role: 'system', content: system });
          const expected = await webLlm(tokenizer, template, turns, {});
          expect([...encodePrompt(tokenizer, template, turns).tokens]).toEqual(expected);
        },
      ),
    );
  });
});

describe.each(['@mlc-ai/web-llm', 'web-llm-0.2.79'])('for a text completion %s feeds', (name) => {
  const webLlm = webLlmTextPrompt(name);
  const template = { ...TEMPLATES.qwen2, system_prefix_token_ids: [1, 300] };

  it('the text’s own tokens and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), async (text) => {
        expect(await webLlm(tokenizer, template, text)).toEqual([...tokenizer.encode(text)]);
      }),
      { examples: [['<|im_start|>user\nHi<|im_end|>\n'], ['$$x$$ {system_message}']] },
    );
  });
});

it('a message reaches the model as it is, where WebLLM reads “$” as a pattern', async () => {
  const math = "$$x^2$$ costs $5 & $& $' $` {function_string}";
  const template = TEMPLATES.qwen2;
  expect(promptPieces(template, [user(math)])[1]).toContain(math);
  const webLlm = await webLlmPrompt('@mlc-ai/web-llm')(tokenizer, template, [user(math)], {});
  expect(tokenizer.decode(webLlm)).toContain('\n$x^2$ costs $5 & {user_message}');
});

type WebLlmPrompt = (
  tokenizer: Pick<Tokenizer, 'encode'>,
  template: ChatTemplate,
  turns: readonly Turn[],
  options: PromptOptions,
) => Promise<number[]>;

/** The prompt code of an installed WebLLM: `@mlc-ai/web-llm` or an alias of it. */
function webLlmPrompt(packageName: string): WebLlmPrompt {
  const feed = runWebLlm(
    packageName,
    // What `MLCEngine.prefill` and `LLMChatPipeline.prefillStep` do with them.
    `async function feed(tokenizer, template, messages, thinking, emptyThinkingBlock) {
      const conversation = getConversationFromChatCompletionRequest({ messages }, { conv_template: template });
      const last = messages[messages.length - 1];
      conversation.appendMessage(last.role === 'tool' ? Role.tool : Role.user, last.content, last.name);
      if (thinking === false) conversation.appendEmptyThinkingReplyHeader(Role.assistant, emptyThinkingBlock);
      else conversation.appendReplyHeader(Role.assistant);
      return inputTokens(conversation, tokenizer);
    }`,
  );
  return (tokenizer, template, turns, options) =>
    feed(tokenizer, template, turns, options.thinking, '<think>\n\n</think>\n\n');
}

/** The same for a text completion. */
function webLlmTextPrompt(
  packageName: string,
): (
  tokenizer: Pick<Tokenizer, 'encode'>,
  template: ChatTemplate,
  text: string,
) => Promise<number[]> {
  return runWebLlm(
    packageName,
    `async function feed(tokenizer, template, text) {
      const conversation = getConversation(template, undefined, true);
      conversation.prompt = text;
      return inputTokens(conversation, tokenizer);
    }`,
  );
}

/** The function `feed` that `source` declares, with WebLLM's prompt code around it. */
function runWebLlm(packageName: string, source: string) {
  const file = createRequire(import.meta.url).resolve(packageName);
  const bundle = readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  const code = [
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
    `async function inputTokens(conversation, tokenizer) {
      const pipeline = Object.assign(new Pipeline(), {
        conversation, tokenizer, config: {}, filledKVCacheLength: 0, slidingWindowSize: -1,
        contextWindowSize: Infinity, imageDataCache: new Map(),
      });
      const [data] = await pipeline.getInputData();
      return data.flat();
    }`,
    source,
    'return feed;',
  ];
  return vm.runInThisContext(`(() => {\n${code.join('\n')}\n})()`);
}

function cut(bundle: string, start: string, end: string): string {
  const from = bundle.indexOf(`\n${start}`) + 1;
  const to = bundle.indexOf(end, from);
  if (from > 0 && to > 0) return bundle.slice(from, to + end.length);
  throw new Error(`WebLLM's bundle has no "${start}".`);
}
