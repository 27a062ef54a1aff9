/** The shape of tools and their choice; what the names and schemas say is checked where tools are made ready. */
import { TempoError } from '../../scheduler';
import type { NamedTool, Tool, ToolChoice } from '../chat-types';
import { expect, flag, isRecord, list, object, oneOf, type Reader, record, text } from './fields';

const MAX_TOOLS = 128;

/** Left out of what the model reads: it is so of every function here. */
const strict: Reader<undefined> = (value, at, reading) => {
  flag(value, at, reading);
  return undefined;
};

/** Throws for OpenAI's other kinds of tool. */
export function onlyFunctions(type: unknown, at: string): void {
  if (type === 'function') return;
  throw new TempoError(
    'invalid_request',
    `${at} must be "function": tools of other kinds are not supported. What a custom tool takes as text, a function can take as a parameter.`,
    { param: at },
  );
}

const functionType = oneOf('function');

const TOOL = object(
  {
    type: functionType,
    function: object({ name: text, description: text, parameters: record, strict }, ['name']),
  },
  ['type', 'function'],
);

const tool: Reader<Tool> = (value, at, reading) => {
  if (isRecord(value)) onlyFunctions(value.type, `${at}.type`);
  return TOOL(value, at, reading);
};

export const tools: Reader<Tool[]> = list(tool, MAX_TOOLS);

const NAMED = object({ type: functionType, function: object({ name: text }, ['name']) }, [
  'type',
  'function',
]);

const named: Reader<NamedTool> = (value, at, reading) => {
  if (isRecord(value)) onlyFunctions(value.type, `${at}.type`);
  return NAMED(value, at, reading);
};

const ALLOWED = object(
  {
    type: oneOf('allowed_tools'),
    allowed_tools: object({ mode: oneOf('auto', 'required'), tools: list(named, MAX_TOOLS) }, [
      'mode',
      'tools',
    ]),
  },
  ['type', 'allowed_tools'],
);

const choiceWord = oneOf('none', 'auto', 'required');

export const toolChoice: Reader<ToolChoice> = (value, at, reading) => {
  if (typeof value === 'string') return choiceWord(value, at, reading);
  expect(
    isRecord(value),
    at,
    `${at} must be 'none', 'auto', 'required' or { type: 'function', function: { name } }`,
    value,
  );
  if (value.type !== 'allowed_tools') return named(value, at, reading);
  const choice = ALLOWED(value, at, reading);
  const { tools: allowed } = choice.allowed_tools;
  expect(allowed.length > 0, `${at}.allowed_tools.tools`, `${at} must allow a tool`, allowed);
  return choice;
};
