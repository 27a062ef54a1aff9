import type { ChatMessage, Tool, ToolCall } from '../client';
import { dictionary, isObject } from './idl';

/** A tool as the model and the session see it, a copy of what the page gave. */
export interface SessionTool {
  spec: Tool;
  execute: (args: unknown) => unknown;
}

/** Throws a TypeError for what is no tool, and what a schema throws while it is copied. */
export function readTool(value: unknown, i: number): SessionTool {
  const { name, description, inputSchema, execute } = dictionary(value, `Tool ${i}`);
  if (typeof name !== 'string' || name === '') throw new TypeError(`Tool ${i} has no name.`);
  const of = `of the tool "${name}"`;
  if (typeof description !== 'string' || description === '') {
    throw new TypeError(`The description ${of} is missing.`);
  }
  if (!isObject(inputSchema)) throw new TypeError(`The inputSchema ${of} must be an object.`);
  if (typeof execute !== 'function') throw new TypeError(`execute ${of} must be a function.`);
  const parameters = dictionary(JSON.parse(JSON.stringify(inputSchema)), `The inputSchema ${of}`);
  if (parameters.type !== 'object') {
    throw new TypeError(`The inputSchema ${of} must be a JSON schema of type "object".`);
  }
  return {
    spec: { type: 'function', function: { name, description, parameters } },
    execute: (args) => execute(args),
  };
}

/** Throws a TypeError where two have the same name. */
export function checkNames(tools: readonly SessionTool[]): void {
  const names = tools.map(({ spec }) => spec.function.name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new TypeError(`There are two tools named "${twice}".`);
}

/** Runs an answer's calls side by side; what goes wrong with one is its result, for the model to read. */
export function runCalls(
  calls: readonly ToolCall[],
  tools: readonly SessionTool[],
): Promise<ChatMessage[]> {
  return Promise.all(
    calls.map(async (call): Promise<ChatMessage> => {
      const content = await resultOf(call, tools).catch(
        (error: unknown) => `Error: ${error instanceof Error ? error.message : String(error)}`,
      );
      return { role: 'tool', tool_call_id: call.id, content };
    }),
  );
}

async function resultOf(call: ToolCall, tools: readonly SessionTool[]): Promise<string> {
  const { name, arguments: json } = call.function;
  const tool = tools.find(({ spec }) => spec.function.name === name);
  if (tool === undefined) throw new Error(`There is no tool "${name}".`);
  const result: unknown = await tool.execute(JSON.parse(json));
  return typeof result === 'string' ? result : (JSON.stringify(result) ?? String(result));
}
