/** After WebLLM's json-mode, json-schema, function-calling and structural-tag-tool-use. */
import * as webllm from '@mlc-ai/web-llm';
import { type Checks, equal, ok } from '../check';
import { calls, MODEL, onTempo, says } from './on-tempo';

const tools: webllm.ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'get_current_weather',
      description: 'Get the current weather in a given location',
      parameters: {
        type: 'object',
        properties: {
          location: { type: 'string' },
          unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
        },
        required: ['location'],
      },
    },
  },
];

export const structured: Checks = {
  'an answer in JSON': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const reply = await engine.chatCompletion({
      messages: [{ role: 'user', content: 'A cat, as JSON' }],
      response_format: { type: 'json_object' },
      max_tokens: 512,
    });
    JSON.parse(reply.choices[0].message.content ?? '');
    await engine.unload();
  },

  'an answer that follows a schema': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const schema = JSON.stringify({
      type: 'object',
      properties: { size: { type: 'integer' }, is_accepted: { type: 'boolean' } },
      required: ['size', 'is_accepted'],
    });
    const request: webllm.ChatCompletionRequestStreaming = {
      stream: true,
      messages: [{ role: 'user', content: 'Make one up.' }],
      response_format: { type: 'json_object', schema } as webllm.ResponseFormat,
      max_tokens: 512,
    };
    let text = '';
    for await (const { choices } of await engine.chatCompletion(request)) {
      text += choices[0]?.delta.content ?? '';
    }
    const { size, is_accepted: accepted } = JSON.parse(text);
    ok(Number.isInteger(size) && typeof accepted === 'boolean', text);
    await engine.unload();
  },

  // A simulated model follows schemas alone.
  'a grammar is taken': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const reply = await engine.chatCompletion({
      messages: [{ role: 'user', content: 'Yes or no?' }],
      response_format: { type: 'grammar', grammar: 'root ::= "yes" | "no"' },
      ...says('yes'),
    });
    equal(reply.choices[0].message.content, 'yes');
    await engine.unload();
  },

  'a call of a function, and its result': async () => {
    ok(webllm.functionCallingModelIds.includes('Hermes-3-Llama-3.1-8B-q4f16_1-MLC'), 'no Hermes');
    const engine = await webllm.CreateMLCEngine('Hermes-3-Llama-3.1-8B-q4f16_1-MLC', onTempo);
    const messages: webllm.ChatCompletionMessageParam[] = [
      { role: 'user', content: 'How warm is it in Pittsburgh?' },
    ];
    const reply = await engine.chat.completions.create({
      messages,
      tools,
      tool_choice: 'auto',
      ...calls('get_current_weather', { location: 'Pittsburgh', unit: 'celsius' }),
    });
    const { finish_reason: finish, message } = reply.choices[0];
    equal(finish, 'tool_calls');
    const [call] = message.tool_calls ?? [];
    equal(call.function.name, 'get_current_weather');
    equal(JSON.parse(call.function.arguments), { location: 'Pittsburgh', unit: 'celsius' });
    messages.push(
      { role: 'assistant', content: null, tool_calls: message.tool_calls },
      { role: 'tool', tool_call_id: call.id, content: '{"degrees": 22}' },
    );
    const answer = await engine.chat.completions.create({ messages, tools, ...says('Warm.') });
    equal(answer.choices[0].message.content, 'Warm.');
    await engine.unload();
  },

  'a streamed call comes whole': async () => {
    const engine = await webllm.CreateMLCEngine('Hermes-3-Llama-3.1-8B-q4f16_1-MLC', onTempo);
    const chunks = await engine.chat.completions.create({
      messages: [{ role: 'user', content: 'How warm is it in Tokyo?' }],
      tools,
      stream: true,
      ...calls('get_current_weather', { location: 'Tokyo' }),
    });
    let last: webllm.ChatCompletionChunk.Choice | undefined;
    for await (const { choices } of chunks) last = choices[0] ?? last;
    equal(last?.finish_reason, 'tool_calls');
    equal(JSON.parse(last?.delta.tool_calls?.[0].function?.arguments ?? ''), { location: 'Tokyo' });
    await engine.unload();
  },

  'a structural tag: tools in the text, and their results': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const begin = '<tool_call>\n{"name": "get_time", "arguments": ';
    const structural_tag = {
      type: 'structural_tag',
      format: {
        type: 'triggered_tags',
        triggers: ['<tool_call>'],
        tags: [
          {
            begin,
            content: { type: 'json_schema', json_schema: { type: 'object', properties: {} } },
            end: '}\n</tool_call>',
          },
        ],
        at_least_one: true,
        stop_after_first: true,
      },
    } as const;
    const content = `${begin}{}}\n</tool_call>`;
    const messages: webllm.ChatCompletionMessageParam[] = [
      { role: 'user', content: 'What time is it?' },
    ];
    const reply = await engine.chat.completions.create({
      messages,
      response_format: { type: 'structural_tag', structural_tag },
      ...says(content),
    });
    equal(reply.choices[0].message.content, content);
    messages.push(
      { role: 'assistant', content },
      { role: 'tool', tool_call_id: 'get_time-1', content: '{"time": "noon"}' },
      { role: 'user', content: 'In a sentence, please.' },
    );
    const answer = await engine.chat.completions.create({ messages, ...says('It is noon.') });
    equal(answer.choices[0].message.content, 'It is noon.');
    await engine.unload();
  },
};
