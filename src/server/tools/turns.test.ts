import { describe, expect, it } from 'vitest';
import type { ConversationTemplate } from '../../engine/step-engine';
import { TEMPLATES } from '../../engine/testing/conversations';
import { promptPieces } from '../../engine/text';
import type { Tool } from '../chat-types';
import type { Message } from '../validate';
import { prepareTools } from './tools';
import { turnsOf } from './turns';

const ADD: Tool = {
  type: 'function',
  function: { name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' } } } },
};
const QUESTION: Message = { role: 'user', content: 'What is 2 + 2?' };
const CALLS: Message = {
  role: 'assistant',
  content: null,
  tool_calls: [
    { id: '1', type: 'function', function: { name: 'add', arguments: '{"a": 2}' } },
    { id: '2', type: 'function', function: { name: 'add', arguments: '{"a": 3}' } },
  ],
};
const RESULTS: Message[] = [
  { role: 'tool', tool_call_id: '1', content: '4' },
  { role: 'tool', tool_call_id: '2', content: '5' },
];

/** The whole prompt as one text. */
function prompt(name: string, messages: readonly Message[], tools?: readonly Tool[]): string {
  const template = TEMPLATES[name];
  const prepared = tools && prepareTools({ tools }, template);
  return promptPieces(template, turnsOf(messages, template, prepared)).join('');
}

describe('a conversation with tools', () => {
  it('is written for Qwen as Qwen2.5’s own template writes it', () => {
    const system: Message = { role: 'system', content: 'Be brief.' };
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
    const said: Message = { ...CALLS, content: 'Let me see.' };
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
  const messages: Message[] = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'tool', tool_call_id: '1', content: 'raw' },
  ];
  expect(turnsOf(messages, TEMPLATES.hermes3)).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'tool', content: 'raw' },
  ]);
});

describe('who speaks', () => {
  const named = (name: string): Message => ({ role: 'user', content: 'Hello.', name });

  it('is said before what a named user says; the role stays the template’s', () => {
    expect(prompt('qwen2', [named('Ada')])).toContain('<|im_start|>user\nAda: Hello.<|im_end|>');
    expect(prompt('llama-2', [named('ASSISTANT')])).toContain('[INST] <<SYS>>');
    for (const [model, template] of Object.entries(TEMPLATES)) {
      const plain = prompt(model, [{ role: 'user', content: 'Ada: Hello.' }]);
      expect(prompt(model, [named('Ada')]), model).toBe(plain);
      expect(plain).toContain(template.roles.assistant);
    }
  });
});

describe('the name of a user', () => {
  const VICUNA: ConversationTemplate = {
    system_template: '{system_message} ',
    system_message: 'A chat.',
    roles: { user: 'USER', assistant: 'ASSISTANT' },
    seps: [' ', '</s>'],
    stop_str: ['</s>'],
  };
  const turns = (template: ConversationTemplate, name: string) =>
    turnsOf([QUESTION, { role: 'user', content: 'Hello.', name }], template);

  it.each([
    [VICUNA, 'ASSISTANT'],
    [VICUNA, 'Assistant'],
    [TEMPLATES['llama-2'], '[INST]'],
    [TEMPLATES['llama-2'], 'x[INST]y'],
  ])('is none that begins a turn in the model’s template: %#', (template, name) => {
    expect(() => turns(template, name)).toThrowError(
      expect.objectContaining({ code: 'invalid_request', param: 'messages[1].name' }),
    );
  });

  it('may be any other, and a role’s where that is no header', () => {
    for (const name of ['Ada', 'superuser', 'myASSISTANT']) {
      expect(turns(VICUNA, name)[1].content).toBe(`${name}: Hello.`);
    }
    expect(turns(TEMPLATES.qwen2, 'assistant')[1].content).toBe('assistant: Hello.');
  });
});

describe('instructions', () => {
  const system = (content: string): Message => ({ role: 'system', content });
  const late = [QUESTION, system('Now in French.'), QUESTION];

  it('in several messages are one turn', () => {
    expect(prompt('qwen2', [system('Be brief.'), system('Be kind.'), QUESTION])).toMatch(
      /^<\|im_start\|>system\nBe brief\.\n\nBe kind\.<\|im_end\|>\n<\|im_start\|>user/,
    );
  });

  it('may come late where the template has a turn for them', () => {
    expect(prompt('llama-3_1', late)).toContain(
      '<|eot_id|><|start_header_id|>system<|end_header_id|>\n\nNow in French.<|eot_id|>',
    );
    expect(() => prompt('gemma', late)).toThrowError(
      expect.objectContaining({ code: 'invalid_request', param: 'messages[1].role' }),
    );
  });

  it('alone are a question where they are no turn of their own', () => {
    expect(prompt('gemma', [system('Write a haiku.')])).toBe(
      prompt('gemma', [{ role: 'user', content: 'Write a haiku.' }]),
    );
    expect(prompt('qwen2', [system('Write a haiku.')])).toBe(
      '<|im_start|>system\nWrite a haiku.<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it.each(Object.keys(TEMPLATES))('alone leave the tools described (%s)', (model) => {
    expect(prompt(model, [system('Add 2 and 2.')], [ADD])).toContain('"add"');
  });
});
