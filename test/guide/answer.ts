import type { ChatMessage, Completions, Tool } from 'tempo-llm';

const tools: Tool[] = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
      },
    },
  },
];

/** Answers a question, and looks up the weather where the model asks for it. */
export async function answer(
  completions: Completions,
  question: string,
  weather: (city: string) => Promise<string>,
): Promise<string> {
  const messages: ChatMessage[] = [{ role: 'user', content: question }];
  for (;;) {
    const { choices } = await completions.create({ messages, tools });
    const { message } = choices[0];
    messages.push(message);
    if (!message.tool_calls) return message.content ?? '';
    for (const { id, function: call } of message.tool_calls) {
      const { city } = JSON.parse(call.arguments);
      messages.push({ role: 'tool', tool_call_id: id, content: await weather(city) });
    }
  }
}
