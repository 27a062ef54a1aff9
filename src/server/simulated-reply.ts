import { hashText } from '../scheduler';
import { part } from './part';
import type { PreparedTools } from './tools';
import type { ReadChatParams, ScriptedReply } from './validate';

/** Makes up a value that satisfies the schema at a place of the request: the same for the same seed. */
export type MakeUp = (path: string, seed: number) => Promise<unknown>;

/** Where answers stand that are JSON and no more is said of them. */
const ANY_JSON = 'response_format';
const FORMATS_OF_JSON = ['json', 'json_schema'];

/**
 * What makes replies up, for the requests that need it: those that say nothing of their answer
 * (`simulate`), and hold it to a form. Throws invalid_schema where nothing satisfies a schema.
 */
export async function makeUpFor(
  request: ReadChatParams,
  tools: PreparedTools | undefined,
): Promise<MakeUp | undefined> {
  const { simulate, response_format: format } = request;
  const isJson = format !== undefined && FORMATS_OF_JSON.includes(format.type);
  if (simulate !== undefined || !(isJson || tools?.required)) return undefined;
  const { makingUp } = await part(() => import('../engine/simulated'));
  const made = new Map<string, (seed: number) => Promise<unknown>>();
  if (tools?.required) {
    for (const { parameters, path } of tools.callable) {
      made.set(path, await makingUp(parameters, path, { objects: true }));
    }
  } else if (format?.type === 'json_schema') {
    const { schema, path = ANY_JSON } = format;
    made.set(path, await makingUp(JSON.parse(schema), path));
  } else {
    made.set(ANY_JSON, await makingUp({}, ANY_JSON, { objects: true }));
  }
  return async (path, seed) => made.get(path)?.(seed);
}

/**
 * What the simulated engine is to answer: what the request says; or a made-up call where one is
 * demanded, made-up JSON where that is. Undefined for prose. Calls are left to the caller's choice where
 * there is one: a tool that is called by chance would surprise every test.
 */
export async function simulatedReply(
  { simulate, response_format: format }: ReadChatParams,
  tools: PreparedTools | undefined,
  makeUp: MakeUp | undefined,
  seed: number,
): Promise<ScriptedReply | undefined> {
  if (makeUp === undefined) return simulate;
  if (tools?.required) {
    const { name, path } = tools.callable[hashText(`${seed}`) % tools.callable.length];
    return { tool_calls: [{ name, arguments: await makeUp(path, seed) }] };
  }
  const path = format?.type === 'json_schema' ? format.path : undefined;
  return { content: JSON.stringify(await makeUp(path ?? ANY_JSON, seed)) };
}
