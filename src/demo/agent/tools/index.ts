/** The agent's tools, all of which really run, in the page. */
import { calculator } from './calculator';
import { addDays, clock, daysBetween } from './calendar';
import { isObject, problemsOf } from './check-arguments';
import { convertUnits } from './convert-units';
import { searchHandbook } from './search-handbook';
import { type AgentTool, declare, type Json } from './tool';

export { warmUpCalculator } from './calculator';
export type { Json } from './tool';

export const TOOLS: readonly AgentTool[] = [
  searchHandbook,
  calculator,
  convertUnits,
  clock,
  addDays,
  daysBetween,
];

export const TOOL_DECLARATIONS = TOOLS.map(declare);

export interface ToolOutcome {
  /** The arguments as parsed; undefined when they were no JSON. */
  args?: Json;
  ok: boolean;
  /** What goes back to the model: the result, or what was wrong with the call. */
  result: Json;
  durationMs: number;
}

/** Runs a tool call as the model wrote it. Never throws: a mistake is a result that says so. */
export async function runTool(name: string, argumentsJson: string): Promise<ToolOutcome> {
  const start = performance.now();
  const end = (ok: boolean, result: Json, args?: Json): ToolOutcome => ({
    ok,
    result,
    args,
    durationMs: performance.now() - start,
  });
  const tool = TOOLS.find((known) => known.name === name);
  if (tool === undefined) {
    return end(
      false,
      `There is no tool "${name}". Use one of ${TOOLS.map((t) => t.name).join(', ')}.`,
    );
  }
  let args: Json;
  try {
    args = JSON.parse(argumentsJson === '' ? '{}' : argumentsJson);
  } catch {
    return end(false, 'The arguments are not valid JSON.', argumentsJson);
  }
  const problems = problemsOf(tool.parameters, args);
  if (problems.length > 0 || !isObject(args)) {
    return end(false, `Invalid arguments: ${problems.join(', ')}.`, args);
  }
  try {
    return end(true, await tool.run(args), args);
  } catch (thrown) {
    return end(false, thrown instanceof Error ? thrown.message : String(thrown), args);
  }
}
