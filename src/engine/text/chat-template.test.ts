import { describe, expect, it } from 'vitest';
import { TempoError } from '../../scheduler';
import { promptPieces, replyStartsInReasoning } from './chat-template';
import { TEMPLATES } from './conversations.test-data';
import type { Turn } from './messages';

const user = (content: string): Turn => ({ role: 'user', content });

describe('a prompt', () => {
  const template = TEMPLATES.qwen2;

  it('is the system turn, the messages and the reply’s header, each for itself', () => {
    expect(promptPieces(template, [user('Hi')])).toEqual([
      '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n',
      '<|im_start|>user\nHi<|im_end|>\n',
      '<|im_start|>assistant\n',
    ]);
  });

  it('holds a message as it is', () => {
    const math = "$$x^2$$ costs $5 & $& $' $` {function_string}";
    expect(promptPieces(template, [user(math)])[1]).toBe(`<|im_start|>user\n${math}<|im_end|>\n`);
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
