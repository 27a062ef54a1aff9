import { describe, expect, it } from 'vitest';
import { promptPieces } from '../../engine/text';
import { TEMPLATES } from '../../engine/text/conversations.test-data';
import type { ChatMessage, Tool } from '../chat-types';
import { prepareTools } from './tools';
import { turnsOf } from './turns';

const ADD: Tool = {
  type: 'function',
  function: { name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' } } } },
};
const QUESTION: ChatMessage = { role: 'user', content: 'What is 2 + 2?' };
const CALLS: ChatMessage = {
  role: 'assistant',
  content: null,
  tool_calls: [
    { id: '1', type: 'function', function: { name: 'add', arguments: '{"a": 2}' } },
    { id: '2', type: 'function', function: { name: 'add', arguments: '{"a": 3}' } },
  ],
};
const RESULTS: ChatMessage[] = [
  { role: 'tool', tool_call_id: '1', content: '4' },
  { role: 'tool', tool_call_id: '2', content: '5' },
];

/** The whole prompt as one text. */
function prompt(name: string, messages: readonly ChatMessage[], tools?: readonly Tool[]): string {
  const template = TEMPLATES[name];
  const prepared = tools && prepareTools({ tools }, template);
  return promptPieces(template, turnsOf(messages, template, prepared)).join('');
}

describe('a conversation with tools', () => {
  it('is written for Qwen as Qwen2.5’s own template writes it', () => {
    const system: ChatMessage = { role: 'system', content: 'Be brief.' };
    expect(prompt('qwen2', [system, QUESTION, CALLS, ...RESULTS], [ADD])).toBe(
      [
        '<|im_start|>system',
        'Be brief.',
        '',
        '# Tools',
        '',
        'You may call one or more functions to assist with the user query.',
        '',
        'You are provided with function signatures within <tools></tools> XML tags:',
        '<tools>',
        JSON.stringify(ADD),
        '</tools>',
        '',
        'For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:',
        '<tool_call>',
        '{"name": <function-name>, "arguments": <args-json-object>}',
        '</tool_call><|im_end|>',
        '<|im_start|>user',
        'What is 2 + 2?<|im_end|>',
        '<|im_start|>assistant',
        '<tool_call>',
        '{"name": "add", "arguments": {"a": 2}}',
        '</tool_call>',
        '<tool_call>',
        '{"name": "add", "arguments": {"a": 3}}',
        '</tool_call><|im_end|>',
        '<|im_start|>user',
        '<tool_response>',
        '4',
        '</tool_response>',
        '<tool_response>',
        '5',
        '</tool_response><|im_end|>',
        '<|im_start|>assistant',
        '',
      ].join('\n'),
    );
  });

  it('describes the tools after the model’s own system message where there is no other', () => {
    expect(prompt('qwen2', [QUESTION], [ADD])).toContain(
      '<|im_start|>system\nYou are a helpful assistant.\n\n# Tools\n',
    );
    expect(prompt('gemma', [QUESTION], [ADD])).toMatch(/^# Tools\n/);
  });

  it('describes the tools to the user where the template has no room for a system message', () => {
    const template = { ...TEMPLATES.qwen2, system_template: '' };
    const turns = turnsOf([QUESTION], template, prepareTools({ tools: [ADD] }, template));
    expect(turns).toHaveLength(1);
    expect(turns[0].content).toMatch(/^# Tools\n[\s\S]*\nWhat is 2 \+ 2\?$/);
  });

  it('uses the template’s role for tools where it has one', () => {
    const text = prompt('hermes3', [QUESTION, CALLS, ...RESULTS], [ADD]);
    expect(text).toContain('<|im_start|>tool\n<tool_response>\n4\n</tool_response><|im_end|>');
    expect(text).toContain('<|im_start|>tool\n<tool_response>\n5\n</tool_response><|im_end|>');
  });

  it('is written for Llama in Llama’s way', () => {
    const text = prompt('llama-3_1', [QUESTION, CALLS, ...RESULTS], [ADD]);
    expect(text).toContain(
      'user<|end_header_id|>\n\nGiven the following functions, please respond with a JSON',
    );
    expect(text).toContain('    "name": "add"');
    expect(text).toContain('\n\nWhat is 2 + 2?<|eot_id|>');
    expect(text).toContain(
      'assistant<|end_header_id|>\n\n{"name": "add", "parameters": {"a": 2}}; {"name": "add", "parameters": {"a": 3}}<|eot_id|>',
    );
    expect(text).toContain('ipython<|end_header_id|>\n\n4<|eot_id|>');
  });

  it('keeps what was said beside a call', () => {
    const said: ChatMessage = { ...CALLS, content: 'Let me see.' };
    expect(prompt('qwen2', [QUESTION, said, ...RESULTS], [ADD])).toContain(
      'assistant\nLet me see.\n<tool_call>\n',
    );
  });

  it('shows earlier calls to a request that has no tools itself', () => {
    const text = prompt('qwen2', [QUESTION, CALLS, ...RESULTS, QUESTION]);
    expect(text).toContain('<tool_call>\n{"name": "add", "arguments": {"a": 2}}\n</tool_call>');
    expect(text).toContain('<tool_response>\n4\n</tool_response>');
    expect(text).not.toContain('# Tools');
  });
});

it('a conversation without tools is passed on as it is', () => {
  const messages: ChatMessage[] = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi', name: 'Ada' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'tool', tool_call_id: '1', content: 'raw' },
  ];
  expect(turnsOf(messages, TEMPLATES.hermes3)).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi', name: 'Ada' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'tool', content: 'raw' },
  ]);
});
