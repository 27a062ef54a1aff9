import { hashText } from '../scheduler';
import type { PreparedTools } from './tools';
import type { ChatRequest, ScriptedReply } from './validate';

/** Makes up a value that satisfies a JSON schema: the same for the same seed. */
export type MakeUp = (schema: unknown, seed: number) => unknown;

/**
 * What makes replies up, loaded for the requests that need it: those that say nothing of their answer
 * (`simulate`), and hold it to a form.
 */
export async function makeUpFor(request: ChatRequest): Promise<MakeUp | undefined> {
  const { simulate, tool_choice: choice = 'auto', response_format: format } = request;
  const isFree = (choice === 'auto' || choice === 'none') && format === undefined;
  if (simulate !== undefined || isFree) return undefined;
  return (await import('../engine/simulated')).madeUp;
}

/**
 * What the simulated engine is to answer: what the request says; or a made-up call where one is
 * demanded, made-up JSON where that is. Undefined for prose. Calls are left to the caller's choice where
 * there is one: a tool that is called by chance would surprise every test.
 */
export function simulatedReply(
  { simulate, response_format: format }: ChatRequest,
  tools: PreparedTools | undefined,
  makeUp: MakeUp | undefined,
  seed: number,
): ScriptedReply | undefined {
  if (makeUp === undefined) return simulate;
  if (tools?.required) {
    const { name, parameters } = tools.callable[hashText(`${seed}`) % tools.callable.length];
    return { tool_calls: [{ name, arguments: makeUp(parameters, seed) }] };
  }
  if (format?.type === 'json') return json(makeUp({ type: 'object' }, seed));
  if (format?.type === 'json_schema') return json(makeUp(JSON.parse(format.schema), seed));
  return undefined;
}

function json(value: unknown): ScriptedReply {
  return { content: JSON.stringify(value) };
}
