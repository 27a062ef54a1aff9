import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToolCallParser } from './tool-call-parser';
import { type ToolFormat, toolFormatOf } from './tool-format';

const hermes = toolFormatOf({ roles: { user: 'user', assistant: 'assistant' } });
const llama = toolFormatOf({
  roles: { user: 'user', assistant: 'assistant', tool: '<|start_header_id|>ipython' },
});

/** A call as a model of this format writes it. */
const written = ({ call }: ToolFormat, name: string, args: string) =>
  call.begin + name + call.middle + args + call.end;

function parse(format: ToolFormat | undefined, pieces: Iterable<string>) {
  let id = 0;
  const parser = new ToolCallParser(format, () => `id-${id++}`);
  const outputs = [...pieces].map((piece) => parser.push(piece));
  outputs.push(parser.finish());
  return {
    content: outputs.map(({ content }) => content).join(''),
    deltas: outputs.flatMap(({ toolCalls }) => toolCalls),
    calls: parser.toolCalls,
  };
}

describe.each([hermes, llama])('an answer in $name’s format', (format) => {
  it('without calls is words, white space and all', () => {
    const text = 'It is 4 < 5.\n\n {"name": 3} ';
    expect(parse(format, [text])).toEqual({ content: text, deltas: [], calls: [] });
    expect(parse(format, text).content).toBe(text);
  });

  it('tells of a call as soon as its name is there, then its arguments as they come', () => {
    const { begin, middle, end } = format.call;
    const parser = new ToolCallParser(format, () => 'id');
    expect(parser.push(begin.slice(0, 5))).toEqual({ content: '', toolCalls: [] });
    expect(parser.push(`${begin.slice(5)}add`)).toEqual({ content: '', toolCalls: [] });
    expect(parser.push(`${middle}{"a":`)).toEqual({
      content: '',
      toolCalls: [
        { index: 0, id: 'id', type: 'function', function: { name: 'add', arguments: '' } },
        { index: 0, function: { arguments: '{"a":' } },
      ],
    });
    expect(parser.push(`1}${end}`)).toEqual({
      content: '',
      toolCalls: [{ index: 0, function: { arguments: '1}' } }],
    });
    expect(parser.finish()).toEqual({ content: '', toolCalls: [] });
  });

  it('may say something first, call twice, and say something after', () => {
    const one = written(format, 'add', '{"a": 1}');
    const two = written(format, 'get-time', '{}');
    const text = `Let me see.\n${one}${format.separator}${two}\nThere.`;
    const { content, calls } = parse(format, [text]);
    expect(content).toBe('Let me see.There.');
    expect(calls).toEqual([
      { id: 'id-0', type: 'function', function: { name: 'add', arguments: '{"a": 1}' } },
      { id: 'id-1', type: 'function', function: { name: 'get-time', arguments: '{}' } },
    ]);
  });

  it('is not confused by brackets, quotes and tags inside the arguments', () => {
    const args = JSON.stringify({ a: ['}', '"]', '\\'], b: { c: '</tool_call>' }, d: '😀' });
    const { content, calls } = parse(format, written(format, 'f', args));
    expect(content).toBe('');
    expect(calls.map((call) => call.function.arguments)).toEqual([args]);
  });

  it.each(['5', '-1.5e3', 'null', 'true', '"a}b\\"]"', '[1, {"a": []}]'])(
    'ends a call with its arguments, even where they are no object: %s',
    (args) => {
      const text = `${written(format, 'f', args)} And so on.`;
      for (const pieces of [[text], [...text]]) {
        const { content, calls } = parse(format, pieces);
        expect(calls.map((call) => call.function.arguments)).toEqual([args]);
        expect(content).toBe('And so on.');
      }
    },
  );

  it('that ends within a call keeps what there was of it', () => {
    const { begin, middle } = format.call;
    const cut = parse(format, [`${begin}add${middle}{"a": [1`]);
    expect(cut.content).toBe('');
    expect(cut.calls[0].function).toEqual({ name: 'add', arguments: '{"a": [1' });
    expect(parse(format, [`${begin}ad`])).toEqual({ content: '', deltas: [], calls: [] });
    expect(parse(format, [`words ${begin.slice(0, 4)}`]).content).toBe(
      `words ${begin.slice(0, 4)}`,
    );
  });

  it('with what only begins like a call is words', () => {
    const text = `${format.call.begin}${'x'.repeat(200)} never a name`;
    expect(parse(format, [text]).content).toBe(text);
    expect(parse(format, text).content).toBe(text);
  });

  it('reads the same however it is cut into pieces', () => {
    const name = fc.stringMatching(/^[a-z_]{1,8}$/);
    const words = fc.string({ maxLength: 12 });
    const part = fc.oneof(
      words,
      fc
        .tuple(name, fc.dictionary(words, fc.jsonValue()))
        .map(([called, args]) => written(format, called, JSON.stringify(args))),
      fc.constantFrom(format.separator, '\n', format.call.begin, format.call.end),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.array(fc.nat(200)), (parts, cuts) => {
        const text = parts.join('');
        const at = [
          0,
          ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b),
          text.length,
        ];
        const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
        const whole = parse(format, [text]);
        for (const other of [parse(format, pieces), parse(format, [...text])]) {
          expect(other.content).toBe(whole.content);
          expect(other.calls).toEqual(whole.calls);
        }
        // The deltas say what the calls hold.
        whole.calls.forEach((call, index) => {
          const own = whole.deltas.filter((delta) => delta.index === index);
          expect(own[0].function?.name).toBe(call.function.name);
          expect(own.map((delta) => delta.function?.arguments ?? '').join('')).toBe(
            call.function.arguments,
          );
        });
      }),
      { numRuns: 300 },
    );
  });
});

it('an answer to a request without callable tools is words, whatever it looks like', () => {
  const text = written(hermes, 'add', '{}');
  expect(parse(undefined, [text])).toEqual({ content: text, deltas: [], calls: [] });
});

it('each call has an id of its own', () => {
  const parser = new ToolCallParser(hermes);
  parser.push(`${written(hermes, 'a', '{}')}\n${written(hermes, 'b', '{}')}`);
  const ids = parser.toolCalls.map((call) => call.id);
  expect(new Set(ids).size).toBe(2);
  expect(ids[0]).toMatch(/^call_[0-9a-f]{24}$/);
});
