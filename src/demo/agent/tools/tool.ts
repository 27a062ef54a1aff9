import type { Tool } from '../../../client';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What the agent can do besides talking. Arguments are validated before `run` sees them. */
export interface AgentTool {
  name: string;
  description: string;
  /** JSON schema of the arguments. */
  parameters: Record<string, unknown>;
  /** Throws an Error whose message the model can act on. */
  run(args: Record<string, Json>): Promise<Json>;
}

/** The tool as the chat completion API wants it. */
export function declare({ name, description, parameters }: AgentTool): Tool {
  return { type: 'function', function: { name, description, parameters } };
}
