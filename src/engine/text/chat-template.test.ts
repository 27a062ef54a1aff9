import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TempoError } from '../../scheduler';
import { ByteLevelTokenizer } from './byte-tokenizer.test-data';
import { promptPieces, promptTokens, replyStartsInReasoning } from './chat-template';
import { CONVERSATIONS, TEMPLATES } from './conversations.test-data';
import type { Turn } from './messages';
import { webLlmPrompt } from './webllm-prompt.test-data';

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
        expect([...promptTokens(tokenizer, template, turns, options)]).toEqual(expected);
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
          expect([...promptTokens(tokenizer, template, turns)]).toEqual(expected);
        },
      ),
    );
  });
});

describe('a prompt', () => {
  const template = TEMPLATES.qwen2;

  it('is the system turn, the messages and the reply’s header, each for itself', () => {
    expect(promptPieces(template, [user('Hi')])).toEqual([
      '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n',
      '<|im_start|>user\nHi<|im_end|>\n',
      '<|im_start|>assistant\n',
    ]);
  });

  it('holds a message as it is, where WebLLM would read “$” as a pattern', async () => {
    const math = "$$x^2$$ costs $5 & $& $' $` {function_string}";
    expect(promptPieces(template, [user(math)])[1]).toBe(`<|im_start|>user\n${math}<|im_end|>\n`);
    const webLlm = await webLlmPrompt('@mlc-ai/web-llm')(tokenizer, template, [user(math)], {});
    expect(tokenizer.decode(webLlm)).toContain('\n$x^2$ costs $5 & {user_message}');
  });

  it('has no system turn where the configuration leaves an empty one out', () => {
    const turns: Turn[] = [{ role: 'system', content: '' }, user('Hi')];
    expect(promptPieces({ ...template, render_empty_system_message: false }, turns)).toHaveLength(
      2,
    );
  });

  it('says whether the reply starts inside the model’s reasoning', () => {
    expect(replyStartsInReasoning(TEMPLATES.qwen3_5)).toBe(true);
    expect(replyStartsInReasoning(TEMPLATES.qwen3_5, { thinking: false })).toBe(false);
    expect(replyStartsInReasoning(template)).toBe(false);
  });

  it.each<[string, Turn[], string]>([
    ['no messages', [], 'messages'],
    ['a system message only', [{ role: 'system', content: 'Be kind.' }], 'messages[0].role'],
    [
      'an answer at the end',
      [user('Hi'), { role: 'assistant', content: 'Hi' }],
      'messages[1].role',
    ],
    ['a late system message', [user('Hi'), { role: 'system', content: '' }], 'messages[1].role'],
    ['a role that the template lacks', [{ role: 'tool', content: '4' }], 'messages[0].role'],
  ])('is refused, with its path, for %s', (_, turns, param) => {
    let thrown: unknown;
    try {
      promptPieces(template, turns);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TempoError);
    expect(thrown).toMatchObject({ code: 'invalid_request', param });
  });
});
