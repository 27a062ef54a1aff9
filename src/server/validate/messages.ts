import type { ToolCall } from '../chat-types';
import {
  expect,
  ignored,
  isRecord,
  leftOut,
  list,
  object,
  type Reader,
  refused,
  text,
  wholeNumber,
} from './fields';
import { assistantContent, type ImageSource, textContent, userContent } from './parts';
import { onlyFunctions } from './tools';

/** Twice as many as OpenAI takes. */
const MAX_MESSAGES = 4096;

/** A message as it was read: a text, and a user's images beside it. */
export type Message =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string; images?: ImageSource[]; name?: string }
  | { role: 'assistant'; content: string | null; tool_calls?: ToolCall[] }
  | { role: 'tool'; content: string; tool_call_id?: string };

/** What OpenAI allows in a participant's name. */
const NAME = /^[^\s<>|/\\]{1,64}$/;

const participant: Reader<string> = (value, at) => {
  expect(
    typeof value === 'string' && NAME.test(value),
    at,
    `${at} must be 1 to 64 characters without white space and <>|/\\`,
    value,
  );
  return value;
};

const namedForNothing = ignored('only the names of users are shown to the model');

const ignoredName: Reader<undefined> = (value, at, reading) => {
  participant(value, at, reading);
  return namedForNothing(value, at, reading);
};

const CALL = object(
  {
    id: text,
    type: text,
    function: object({ name: text, arguments: text, parsed_arguments: leftOut }, [
      'name',
      'arguments',
    ]),
    index: wholeNumber(0),
  },
  ['id', 'function'],
);

/** A call of the past. Without arguments, it had none: `{}`. */
const call: Reader<ToolCall> = (value, at, reading) => {
  if (isRecord(value)) onlyFunctions(value.type ?? 'function', `${at}.type`);
  const { id, function: called } = CALL(value, at, reading);
  const args = called.arguments.trim() === '' ? '{}' : called.arguments;
  return { id, type: 'function', function: { name: called.name, arguments: args } };
};

const SYSTEM = object({ role: text, content: textContent, name: ignoredName }, ['content']);
const USER = object({ role: text, content: userContent, name: participant }, ['content']);
const ASSISTANT = object({
  role: text,
  content: assistantContent,
  refusal: text,
  tool_calls: list(call),
  name: ignoredName,
  reasoning_content: leftOut,
  annotations: leftOut,
  parsed: leftOut,
  audio: refused('the models here neither hear nor speak. Leave it out.'),
  function_call: refused('it is the old way to call functions; use tool_calls.'),
});
const TOOL = object({ role: text, content: textContent, tool_call_id: text, name: leftOut }, [
  'content',
]);

const system: Reader<Message> = (message, at, reading) => ({
  role: 'system',
  content: SYSTEM(message, at, reading).content,
});

const user: Reader<Message> = (message, at, reading) => {
  const { content, name } = USER(message, at, reading);
  const { text: said, images } = content;
  return { role: 'user', content: said, ...(images.length > 0 && { images }), name };
};

const assistant: Reader<Message> = (message, at, reading) => {
  const { content, refusal, tool_calls: calls = [] } = ASSISTANT(message, at, reading);
  const said = content ?? refusal ?? null;
  expect(
    said !== null || calls.length > 0,
    `${at}.content`,
    `${at}.content must be given where there are no tool_calls`,
    content,
  );
  return { role: 'assistant', content: said, ...(calls.length > 0 && { tool_calls: calls }) };
};

const tool: Reader<Message> = (message, at, reading) => {
  const { content, tool_call_id } = TOOL(message, at, reading);
  return { role: 'tool', content, tool_call_id };
};

const BY_ROLE: Readonly<Record<string, Reader<Message>>> = {
  system,
  developer: system,
  user,
  assistant,
  tool,
};

const message: Reader<Message> = (value, at, reading) => {
  expect(isRecord(value), at, `${at} must be an object with role and content`, value);
  const { role } = value;
  if (role === 'function') {
    refused('the role function belongs to the old functions; use tool_calls, and the role tool.')(
      role,
      `${at}.role`,
      reading,
    );
  }
  expect(
    typeof role === 'string' && Object.hasOwn(BY_ROLE, role),
    `${at}.role`,
    `${at}.role must be one of ${Object.keys(BY_ROLE).join(', ')}`,
    role,
  );
  return BY_ROLE[role](value, at, reading);
};

/** A conversation: every tool's result that names a call answers one before it. */
export const messages: Reader<Message[]> = (value, at, reading) => {
  const holds = Array.isArray(value) && value.length > 0;
  expect(holds, at, `${at} must hold at least one message`, value);
  const called = new Set<string>();
  return list(message, MAX_MESSAGES)(value, at, reading).map((one, i) => {
    if (one.role === 'assistant') for (const { id } of one.tool_calls ?? []) called.add(id);
    if (one.role === 'tool' && one.tool_call_id !== undefined) {
      const param = `${at}[${i}].tool_call_id`;
      const sentence = `${param} must be the id of a tool call in an assistant message before it`;
      expect(called.has(one.tool_call_id), param, sentence, one.tool_call_id);
    }
    return one;
  });
};
