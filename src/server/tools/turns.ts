import type { ConversationTemplate } from '../../engine/step-engine';
import { hasSystemTurns, type PromptImage, type Turn } from '../../engine/text';
import { TempoError } from '../../scheduler';
import type { ImageSource, Message } from '../validate';
import { type ToolFormat, toolFormatOf } from './tool-format';
import type { PreparedTools } from './tools';

type AssistantMessage = Extract<Message, { role: 'assistant' }>;
type UserMessage = Extract<Message, { role: 'user' }>;

/** What came of the images that messages ask for. */
export type LoadedImages = ReadonlyMap<ImageSource, PromptImage>;

/**
 * A request's messages as its model's chat template takes them: instructions gathered, tools described,
 * earlier calls and their results written the way the model writes and reads them. Throws
 * `invalid_request`, naming the message, where the template has no place for one.
 *
 * A request without tools and without calls in its history passes through as it is, so that its
 * tokens are those that MLCEngine would feed.
 */
export function turnsOf(
  messages: readonly Message[],
  template: ConversationTemplate,
  tools?: PreparedTools,
  images?: LoadedImages,
): Turn[] {
  const format = tools?.format ?? toolFormatOf(template);
  const usesTools =
    tools !== undefined ||
    messages.some((message) => message.role === 'assistant' && message.tool_calls);
  const toolRole = template.roles.tool === undefined && usesTools ? 'user' : 'tool';

  const turns: Turn[] = [];
  messages.forEach((message, i) => {
    const last = turns.at(-1);
    switch (message.role) {
      case 'system':
        checkPlace(template, turns, i);
        // Instructions in several messages (of the system and of the developer) are one turn.
        if (last?.role === 'system') last.content += `\n\n${message.content}`;
        else turns.push({ role: 'system', content: message.content });
        return;
      case 'user':
        checkName(template, message, i);
        turns.push(userTurn(message, images));
        return;
      case 'assistant':
        turns.push({ role: 'assistant', content: assistantText(message, format) });
        return;
      case 'tool': {
        const content = usesTools ? format.result(message.content) : message.content;
        const afterResult = messages[i - 1]?.role === 'tool';
        // Results of one answer's calls share a turn where they stand in the user's place.
        if (afterResult && toolRole === 'user' && last) last.content += `\n${content}`;
        else turns.push({ role: toolRole, content });
      }
    }
  });
  const asked = withQuestion(turns, template);
  return tools === undefined ? asked : describe(asked, template, tools);
}

/** Throws `invalid_request` where a system message cannot follow these turns. */
function checkPlace(template: ConversationTemplate, turns: readonly Turn[], at: number): void {
  const isLate = turns.some((turn) => turn.role !== 'system');
  if (!isLate || hasSystemTurns(template)) return;
  throw new TempoError(
    'invalid_request',
    `This model reads a system message at the start only. Put the text of messages[${at}] there, or into a user's message.`,
    { param: `messages[${at}].role` },
  );
}

/**
 * Throws `invalid_request` where a speaker's name would read as the header of a role: that of Vicuna is
 * `ASSISTANT:`, that of Llama 2 `[INST]`.
 */
function checkName(template: ConversationTemplate, message: { name?: string }, at: number): void {
  const { name } = message;
  if (name === undefined) return;
  const written = `${name}: `.toLowerCase();
  const forged = Object.values(template.roles).find((role) => {
    const header = (role + (template.role_content_sep ?? ': ')).trim().toLowerCase();
    const begins = written.indexOf(header);
    return header !== '' && (begins === 0 || (begins > 0 && /^\W/.test(header)));
  });
  if (forged === undefined) return;
  const param = `messages[${at}].name`;
  throw new TempoError(
    'invalid_request',
    `${param} is how this model's conversations begin a turn ("${forged.trim()}"). Use another name.`,
    { param },
  );
}

/** Instructions alone are a question where the template makes no turn of them. */
function withQuestion(turns: Turn[], template: ConversationTemplate): Turn[] {
  const [only, ...others] = turns;
  if (only?.role !== 'system' || others.length > 0 || hasSystemTurns(template)) return turns;
  return [{ role: 'user', content: only.content }];
}

/** Puts the tools' description where the format has it, or where the template leaves room for it. */
function describe(turns: Turn[], template: ConversationTemplate, tools: PreparedTools): Turn[] {
  const { format, section } = tools;
  const hasSystemTurn = template.system_template.includes('{system_message}');
  const question = turns.findIndex((turn) => turn.role === 'user');
  if (question >= 0 && (format.place === 'first user message' || !hasSystemTurn)) {
    return turns.map((turn, i) => (i === question ? prefixed(turn, `${section}\n`) : turn));
  }
  const [first, ...rest] = turns;
  const own = first?.role === 'system' ? first.content : template.system_message;
  const content = own === '' ? section : `${own}\n\n${section}`;
  return [{ role: 'system', content }, ...(first?.role === 'system' ? rest : turns)];
}

/** A user's turn; the role is the template's to write, and a name is part of what is said. */
function userTurn({ name, content, images }: UserMessage, loaded?: LoadedImages): Turn {
  const shown = images?.flatMap((source) => {
    const image = loaded?.get(source);
    return image === undefined ? [] : { at: source.at, image };
  });
  const turn: Turn = { role: 'user', content, ...(shown && { images: shown }) };
  return name === undefined ? turn : prefixed(turn, `${name}: `);
}

/** A turn that begins with something else. */
function prefixed({ images, ...turn }: Turn, text: string): Turn {
  const moved = images?.map(({ at, image }) => ({ at: at + text.length, image }));
  return { ...turn, content: text + turn.content, ...(moved && { images: moved }) };
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
