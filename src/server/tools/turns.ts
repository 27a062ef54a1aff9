import type { ConversationTemplate } from '../../engine/step-engine';
import type { Turn } from '../../engine/text';
import type { AssistantMessage, ChatMessage } from '../chat-types';
import { type ToolFormat, toolFormatOf } from './tool-format';
import type { PreparedTools } from './tools';

/**
 * A request's messages as its model's chat template takes them: tools described, earlier calls and
 * their results written the way the model writes and reads them.
 *
 * A request without tools and without calls in its history passes through as it is, so that its
 * tokens are those that MLCEngine would feed.
 */
export function turnsOf(
  messages: readonly ChatMessage[],
  template: ConversationTemplate,
  tools?: PreparedTools,
): Turn[] {
  const format = tools?.format ?? toolFormatOf(template);
  const usesTools =
    tools !== undefined ||
    messages.some((message) => 'tool_calls' in message && message.tool_calls);
  const toolRole = template.roles.tool === undefined && usesTools ? 'user' : 'tool';

  const turns: Turn[] = [];
  let afterResult = false;
  for (const message of messages) {
    if (message.role === 'tool') {
      const content = usesTools ? format.result(message.content) : message.content;
      const last = turns.at(-1);
      // Results of one answer's calls share a turn where they stand in the user's place.
      if (afterResult && toolRole === 'user' && last) last.content += `\n${content}`;
      else turns.push({ role: toolRole, content });
    } else if (message.role === 'assistant') {
      turns.push({ role: 'assistant', content: assistantText(message, format) });
    } else if (message.role === 'user') {
      turns.push({ role: 'user', content: message.content, name: message.name });
    } else {
      turns.push({ role: message.role, content: message.content });
    }
    afterResult = message.role === 'tool';
  }
  return tools === undefined ? turns : describe(turns, template, tools);
}

/** Puts the tools' description where the format has it, or where the template leaves room for it. */
function describe(turns: Turn[], template: ConversationTemplate, tools: PreparedTools): Turn[] {
  const { format, section } = tools;
  const hasSystemTurn = template.system_template.includes('{system_message}');
  if (format.place === 'first user message' || !hasSystemTurn) {
    const first = turns.findIndex((turn) => turn.role === 'user');
    return turns.map((turn, i) =>
      i === first ? { ...turn, content: `${section}\n${turn.content}` } : turn,
    );
  }
  const [first, ...rest] = turns;
  const own = first?.role === 'system' ? first.content : template.system_message;
  const content = own === '' ? section : `${own}\n\n${section}`;
  return [{ role: 'system', content }, ...(first?.role === 'system' ? rest : turns)];
}

/** An assistant's turn, its calls written out. */
function assistantText(message: AssistantMessage, format: ToolFormat): string {
  const { begin, middle, end } = format.call;
  const calls = (message.tool_calls ?? []).map(
    (call) => begin + call.function.name + middle + call.function.arguments + end,
  );
  const text = calls.join(format.separator);
  if (calls.length === 0) return message.content ?? '';
  return message.content ? `${message.content}\n${text}` : text;
}
