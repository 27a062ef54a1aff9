import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReasoningOptions, ReasoningSplitter } from './reasoning';

function split(pieces: Iterable<string>, options?: ReasoningOptions) {
  const splitter = new ReasoningSplitter(options);
  const parts = [...pieces].map((piece) => splitter.push(piece));
  parts.push(splitter.finish());
  return {
    reasoning: parts.map((part) => part.reasoning).join(''),
    content: parts.map((part) => part.content).join(''),
  };
}

describe('a thinking model’s answer', () => {
  it('is parted into reasoning and content', () => {
    expect(split(['<think>\nFirst, add.\n</think>\n\nIt is 4.'])).toEqual({
      reasoning: 'First, add.',
      content: 'It is 4.',
    });
  });

  it('may begin inside the block, where the template opened it', () => {
    expect(split(['\nFirst, add.</think>It is 4.'], { open: true })).toEqual({
      reasoning: 'First, add.',
      content: 'It is 4.',
    });
  });

  it('may have an empty block, or none', () => {
    expect(split(['<think>\n\n</think>\n\nFour.'])).toEqual({ reasoning: '', content: 'Four.' });
    expect(split(['Four. <think>no</think>'])).toEqual({
      reasoning: '',
      content: 'Four. <think>no</think>',
    });
    expect(split(['\n', ' Four.'])).toEqual({ reasoning: '', content: '\n Four.' });
  });

  it('that never closes its block is all reasoning', () => {
    expect(split(['<think>', 'Hmm </th', 'ink'])).toEqual({
      reasoning: 'Hmm </think',
      content: '',
    });
  });

  it('streams: each part comes out as soon as it is sure', () => {
    const splitter = new ReasoningSplitter();
    expect(splitter.push('<th')).toEqual({ reasoning: '', content: '' });
    expect(splitter.push('ink>a b')).toEqual({ reasoning: 'a b', content: '' });
    expect(splitter.push(' <')).toEqual({ reasoning: '', content: '' });
    expect(splitter.push('3\n')).toEqual({ reasoning: ' <3', content: '' });
    expect(splitter.push('</think>')).toEqual({ reasoning: '', content: '' });
    expect(splitter.push('\n\nyes')).toEqual({ reasoning: '', content: 'yes' });
    expect(splitter.push(' no ')).toEqual({ reasoning: '', content: ' no ' });
  });

  it('is parted alike however it is cut into pieces', () => {
    const words = fc.constantFrom('a', ' ', '\n', '<', 'think>', '</think>', '<think>', '</');
    fc.assert(
      fc.property(fc.array(words, { maxLength: 20 }), fc.boolean(), (pieces, open) => {
        const whole = split([pieces.join('')], { open });
        expect(split(pieces, { open })).toEqual(whole);
        expect(split(pieces.join(''), { open })).toEqual(whole);
      }),
    );
  });
});
