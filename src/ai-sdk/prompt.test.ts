import type { LanguageModelV4Prompt, SharedV4Warning } from '@ai-sdk/provider';
import { UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { messagesOf } from './prompt';

function converted(...prompt: LanguageModelV4Prompt) {
  const warnings: SharedV4Warning[] = [];
  return { messages: messagesOf(prompt, warnings), warnings };
}

const result = (
  output: Extract<
    Extract<LanguageModelV4Prompt[number], { role: 'tool' }>['content'][number],
    { type: 'tool-result' }
  >['output'],
) =>
  converted({
    role: 'tool',
    content: [{ type: 'tool-result', toolCallId: 'c1', toolName: 'look', output }],
  }).messages;

describe('system messages', () => {
  it('at the beginning become one', () => {
    expect(
      converted(
        { role: 'system', content: 'Be brief.' },
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      ).messages,
    ).toEqual([
      { role: 'system', content: 'Be brief.\n\nBe kind.' },
      { role: 'user', content: 'Hi' },
    ]);
  });

  it('further on stay where they are, for the server to take or to refuse', () => {
    const { messages } = converted(
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'system', content: 'Now be brief.' },
    );
    expect(messages.map(({ role }) => role)).toEqual(['user', 'system']);
  });
});

describe('a user’s message', () => {
  it('of several texts is one text, line by line', () => {
    const content = ['One.', 'Two.'].map((text) => ({ type: 'text' as const, text }));
    expect(converted({ role: 'user', content }).messages).toEqual([
      { role: 'user', content: 'One.\nTwo.' },
    ]);
  });

  it('of nothing is an empty text', () => {
    expect(converted({ role: 'user', content: [] }).messages).toEqual([
      { role: 'user', content: '' },
    ]);
  });

  it.each([
    ['inline', { type: 'text', text: 'Grüße' }],
    ['as bytes', { type: 'data', data: new TextEncoder().encode('Grüße') }],
    ['as base64', { type: 'data', data: 'R3LDvMOfZQ==' }],
    ['as base64 for addresses', { type: 'data', data: 'R3LDvMOfZQ' }],
  ] as const)('takes in text files, %s', (_, data) => {
    const { messages } = converted({
      role: 'user',
      content: [
        { type: 'text', text: 'Read this:' },
        { type: 'file', mediaType: 'text/plain', data },
      ],
    });
    expect(messages).toEqual([{ role: 'user', content: 'Read this:\nGrüße' }]);
  });

  it.each([
    ['bytes', { type: 'data', data: new Uint8Array([1, 2, 250]) }, 'data:image/png;base64,AQL6'],
    ['base64', { type: 'data', data: 'AQL6' }, 'data:image/png;base64,AQL6'],
    ['base64 for addresses', { type: 'data', data: '-_-_' }, 'data:image/png;base64,+/+/'],
    ['an address', { type: 'url', url: new URL('https://a.b/c.png') }, 'https://a.b/c.png'],
  ] as const)('with an image as %s is of parts', (_, data, url) => {
    const { messages } = converted({
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'file', mediaType: 'image/png', data },
      ],
    });
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url } },
        ],
      },
    ]);
  });

  it.each(['image/*', 'image'])('takes an image whose type is no more than %s', (mediaType) => {
    const data = { type: 'data', data: 'AQL6' } as const;
    const { messages } = converted({ role: 'user', content: [{ type: 'file', mediaType, data }] });
    const url = `data:${mediaType};base64,AQL6`;
    expect(messages[0].content).toEqual([{ type: 'image_url', image_url: { url } }]);
  });

  it('takes an image of many bytes', () => {
    const data = new Uint8Array(300_000).fill(65);
    const { messages } = converted({
      role: 'user',
      content: [{ type: 'file', mediaType: 'image/jpeg', data: { type: 'data', data } }],
    });
    expect(messages[0].content).toEqual([
      { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${'QUFB'.repeat(100_000)}` } },
    ]);
  });

  it.each([
    ['application/pdf', { type: 'data', data: 'AQL6' }, 'files of type application/pdf'],
    ['audio/wav', { type: 'data', data: 'AQL6' }, 'files of type audio/wav'],
    ['text/plain', { type: 'url', url: new URL('https://a.b/c') }, 'files of type text/plain'],
    ['image/png', { type: 'reference', reference: { openai: 'file-1' } }, 'references to files'],
  ] as const)('with a file of %s that cannot be taken is refused', (mediaType, data, words) => {
    const convert = () => converted({ role: 'user', content: [{ type: 'file', mediaType, data }] });
    expect(convert).toThrowError(words);
    expect(convert).toThrowError(UnsupportedFunctionalityError);
  });
});

describe('an earlier answer', () => {
  it('keeps its text and calls, and not what it thought', () => {
    const { messages, warnings } = converted({
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Hm.' },
        { type: 'text', text: 'One ' },
        { type: 'text', text: 'moment.' },
        { type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: { at: 'sky' } },
      ],
    });
    expect(messages).toEqual([
      {
        role: 'assistant',
        content: 'One moment.',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":"sky"}' } },
        ],
      },
    ]);
    expect(warnings).toEqual([]);
  });

  it.each([
    [{ a: 1 }, '{"a":1}'],
    ['{"a":1}', '{"a":1}'],
    ['not JSON', '"not JSON"'],
    [undefined, '{}'],
    [null, '{}'],
  ])('writes a call’s input %j as %s', (input, written) => {
    const { messages } = converted({
      role: 'assistant',
      content: [{ type: 'tool-call', toolCallId: 'c1', toolName: 'look', input }],
    });
    expect(messages).toMatchObject([
      { content: null, tool_calls: [{ function: { arguments: written } }] },
    ]);
  });

  it('of nothing but thoughts is an empty one', () => {
    const content = [{ type: 'reasoning' as const, text: 'Hm.' }];
    expect(converted({ role: 'assistant', content }).messages).toEqual([
      { role: 'assistant', content: '' },
    ]);
  });

  it('is divided by results that came within it', () => {
    const { messages } = converted({
      role: 'assistant',
      content: [
        {
          type: 'tool-call',
          toolCallId: 'c1',
          toolName: 'search',
          input: {},
          providerExecuted: true,
        },
        {
          type: 'tool-result',
          toolCallId: 'c1',
          toolName: 'search',
          output: { type: 'text', value: 'Found.' },
        },
        { type: 'text', text: 'It is found.' },
      ],
    });
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ['assistant', null],
      ['tool', 'Found.'],
      ['assistant', 'It is found.'],
    ]);
  });

  it('loses its files, and says so', () => {
    const data = { type: 'data' as const, data: 'AQL6' };
    const { messages, warnings } = converted({
      role: 'assistant',
      content: [
        { type: 'file', mediaType: 'image/png', data },
        { type: 'text', text: 'Here.' },
        { type: 'custom', kind: 'other.thing' },
      ],
    });
    expect(messages).toEqual([{ role: 'assistant', content: 'Here.' }]);
    expect(warnings).toEqual([
      {
        type: 'unsupported',
        feature: 'files in assistant messages',
        details: 'A file of type image/png was left out.',
      },
    ]);
  });
});

describe('a tool’s result', () => {
  it.each([
    [{ type: 'text', value: 'Blue.' }, 'Blue.'],
    [{ type: 'json', value: { color: 'blue', not: null } }, '{"color":"blue","not":null}'],
    [{ type: 'error-text', value: 'No sky.' }, 'No sky.'],
    [{ type: 'error-json', value: { code: 7 } }, '{"code":7}'],
    [{ type: 'execution-denied', reason: 'Not now.' }, 'Not now.'],
    [{ type: 'execution-denied' }, 'Tool call execution denied.'],
    [
      {
        type: 'content',
        value: [
          { type: 'text', text: 'Blue.' },
          { type: 'file', mediaType: 'text/csv', data: { type: 'text', text: 'a,b' } },
        ],
      },
      'Blue.\na,b',
    ],
  ] as const)('%j is %s', (output, content) => {
    const given = structuredClone(output) as Parameters<typeof result>[0];
    expect(result(given)).toEqual([{ role: 'tool', tool_call_id: 'c1', content }]);
  });

  it('with an image is of parts', () => {
    const file = {
      type: 'file' as const,
      mediaType: 'image/png',
      data: { type: 'data' as const, data: 'AQL6' },
    };
    expect(result({ type: 'content', value: [file] })).toMatchObject([
      { content: [{ type: 'image_url' }] },
    ]);
  });

  it('of a kind of one provider’s own is refused', () => {
    expect(() => result({ type: 'content', value: [{ type: 'custom' }] })).toThrowError(
      UnsupportedFunctionalityError,
    );
  });

  it('comes once for each call; approvals of other providers’ tools are left out', () => {
    const { messages } = converted({
      role: 'tool',
      content: [
        { type: 'tool-approval-response', approvalId: 'a', approved: true },
        ...['c1', 'c2'].map((toolCallId) => ({
          type: 'tool-result' as const,
          toolCallId,
          toolName: 'look',
          output: { type: 'text' as const, value: toolCallId },
        })),
      ],
    });
    expect(messages).toEqual([
      { role: 'tool', tool_call_id: 'c1', content: 'c1' },
      { role: 'tool', tool_call_id: 'c2', content: 'c2' },
    ]);
  });
});
