import { list, object, type Reader, record, text } from './fields';

/** What a simulated engine is to answer. */
export interface ScriptedReply {
  content?: string;
  tool_calls?: { name: string; arguments: unknown }[];
}

const REPLY = object({
  content: text,
  tool_calls: list(object({ name: text, arguments: record }, ['name'])),
});

export const simulatedReply: Reader<ScriptedReply> = (value, at, reading) => {
  const { content, tool_calls: calls } = REPLY(value, at, reading);
  return {
    content,
    tool_calls: calls?.map(({ name, arguments: args = {} }) => ({ name, arguments: args })),
  };
};
