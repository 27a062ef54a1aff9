import { describe, expect, it } from 'vitest';
import { TempoError } from '../../scheduler';
import { TEMPLATES } from '../testing/conversations';
import { hasSystemTurns, promptPieces, replyStartsInReasoning } from './chat-template';
import type { Turn } from './messages';

const user = (content: string): Turn => ({ role: 'user', content });
const assistant = (content: string): Turn => ({ role: 'assistant', content });
const system = (content: string): Turn => ({ role: 'system', content });

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

  it('is answered once more where an answer is last, as the OpenAI API does', () => {
    expect(promptPieces(template, [user('Hi'), assistant('Hi.')]).slice(-2)).toEqual([
      '<|im_start|>assistant\nHi.<|im_end|>\n',
      '<|im_start|>assistant\n',
    ]);
  });

  it('may be a system message alone', () => {
    expect(promptPieces(template, [{ role: 'system', content: 'Greet.' }])).toEqual([
      '<|im_start|>system\nGreet.<|im_end|>\n',
      '<|im_start|>assistant\n',
    ]);
  });

  it('has a late system message where such messages are turns of their own', () => {
    const turns = [user('Hi'), system('Now in French.'), user('Bye')];
    expect(promptPieces(template, turns).slice(1, 4)).toEqual([
      '<|im_start|>user\nHi<|im_end|>\n',
      '<|im_start|>system\nNow in French.<|im_end|>\n',
      '<|im_start|>user\nBye<|im_end|>\n',
    ]);
    expect(hasSystemTurns(TEMPLATES['llama-3_1'])).toBe(true);
    for (const name of ['llama-2', 'gemma', 'gorilla']) {
      expect(hasSystemTurns(TEMPLATES[name]), name).toBe(false);
      expect(() => promptPieces(TEMPLATES[name], turns)).toThrowError(
        expect.objectContaining({ code: 'invalid_request', param: 'messages[1].role' }),
      );
    }
  });

  it('parts the turns as without a system message between them', () => {
    const llama = TEMPLATES['llama-3_1'];
    const alternating = { ...llama, seps: ['<a>', '<b>'] };
    const pieces = promptPieces(alternating, [user('1'), system('s'), user('2')]);
    expect(pieces[1]).toMatch(/1<a>$/);
    expect(pieces[3]).toMatch(/2<b>$/);
  });

  it.each<[string, Turn[], string]>([
    ['no messages', [], 'messages'],
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

describe('an answer to be continued', () => {
  const turns = [user('A gnome, in TOML'), assistant('[gnome]\n')];
  const last = (name: keyof typeof TEMPLATES, thinking?: boolean) =>
    promptPieces(TEMPLATES[name], turns, { continued: true, thinking }).at(-1);

  it('ends the prompt as far as it goes, with no separator and no header after it', () => {
    expect(last('qwen2')).toBe('<|im_start|>assistant\n[gnome]\n');
    expect(last('llama-2')).toBe('[/INST] [gnome]\n');
    const template = {
      ...TEMPLATES.qwen2,
      role_templates: { assistant: 'Says: {assistant_message} (end)' },
    };
    expect(promptPieces(template, turns, { continued: true }).at(-1)).toBe(
      '<|im_start|>assistant\nSays: [gnome]\n',
    );
  });

  it('is past the reasoning, which the prompt leaves empty where it opens it', () => {
    expect(last('qwen3_5')).toBe('<|im_start|>assistant\n<think>\n\n</think>\n\n[gnome]\n');
    expect(last('qwen2', false)).toBe('<|im_start|>assistant\n<think>\n\n</think>\n\n[gnome]\n');
    expect(replyStartsInReasoning(TEMPLATES.qwen3_5, { continued: true })).toBe(false);
  });

  it('is refused, with its path, where nobody has begun', () => {
    expect(() => promptPieces(TEMPLATES.qwen2, [user('Hi')], { continued: true })).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'messages[0].role' }),
    );
  });
});
