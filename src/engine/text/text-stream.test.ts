import { expect, it } from 'vitest';
import { ByteLevelTokenizer } from '../testing/byte-tokenizer';
import { TextStream, type TextStreamOptions } from './text-stream';

const tokenizer = new ByteLevelTokenizer();

function answer(text: string, options: Omit<TextStreamOptions, 'tokenizer'>) {
  const stream = new TextStream({ tokenizer, ...options });
  let reasoning = '';
  let content = '';
  for (const token of tokenizer.encode(text)) {
    const part = stream.push(token);
    reasoning += part.reasoning;
    content += part.content;
    if (stream.stopped !== undefined) break;
  }
  const rest = stream.finish();
  return {
    reasoning: reasoning + rest.reasoning,
    content: content + rest.content,
    stopped: stream.stopped,
  };
}

it('an answer’s tokens become whole characters, reasoning apart, cut at a stop string', () => {
  const text = '<think>\nZwölf – 12 😀\n</think>\n\nEs sind zwölf. 😀<|im_end|>und mehr';
  expect(answer(text, { stop: ['<|im_end|>'], reasoning: {} })).toEqual({
    reasoning: 'Zwölf – 12 😀',
    content: 'Es sind zwölf. 😀',
    stopped: '<|im_end|>',
  });
});

it('the template’s stop string ends the reasoning too', () => {
  expect(answer('<think>one END two', { ends: ['END'], reasoning: {} })).toEqual({
    reasoning: 'one',
    content: '',
    stopped: 'END',
  });
});

it.each([
  ['the model begins', '<think>\n', {}],
  ['the template begins', '', { open: true }],
])('a request’s stop string sleeps through the reasoning that %s', (_, begin, reasoning) => {
  const text = `${begin}One.\n\nTwo.\n</think>\n\nThree.\n\nFour.`;
  expect(answer(text, { stop: ['\n\n'], reasoning })).toEqual({
    reasoning: 'One.\n\nTwo.',
    content: 'Three.',
    stopped: '\n\n',
  });
});

it('a request’s stop string is awake where there is no reasoning', () => {
  expect(answer('Three.\n\nFour.', { stop: ['\n\n'], reasoning: {} })).toEqual({
    reasoning: '',
    content: 'Three.',
    stopped: '\n\n',
  });
});

it('without reasoning everything is content', () => {
  expect(answer('<think>a</think>b', {})).toMatchObject({ content: '<think>a</think>b' });
});

it('an answer that ends within a character or a stop string keeps what there was', () => {
  const stream = new TextStream({ tokenizer, stop: ['END'] });
  stream.push(69); // E
  stream.push(0xc3);
  expect(stream.finish()).toEqual({ reasoning: '', content: 'E\uFFFD' });
});

it.each([
  ['the model begins', '<think>\n', {}],
  ['the template begins', '', { open: true }],
])(
  'reasoning that is kept as it was written sleeps likewise, where %s it',
  (_, begin, reasoning) => {
    const thought = `${begin}One.\n\nTwo. </thi\n</think>\n\n`;
    const text = `${thought}Three.\n\nFour.`;
    expect(answer(text, { stop: ['\n\n'], reasoning: { ...reasoning, kept: true } })).toEqual({
      reasoning: thought,
      content: 'Three.',
      stopped: '\n\n',
    });
  },
);

it.each(['  Three.\n', '<thin', '<thought>', '', ' \n'])(
  'what only begins like reasoning that is kept is content: %j',
  (text) => {
    const wanted = { reasoning: '', content: text, stopped: undefined };
    expect(answer(text, { reasoning: { kept: true } })).toEqual(wanted);
  },
);
