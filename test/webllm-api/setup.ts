import { onTestFinished } from 'vitest';
import { CreateMLCEngine, type MLCEngine, type MLCEngineConfig } from '../../src/webllm-api';
import { TempoServer } from '../../src/worker/server';

/** A chat model and two embedding models of WebLLM's list. */
export const CHAT = 'Llama-3.2-1B-Instruct-q4f16_1-MLC';
export const EMBED = 'snowflake-arctic-embed-s-q0f32-MLC-b4';
export const EMBED_OTHER = 'snowflake-arctic-embed-m-q0f32-MLC-b4';

/** What makes an engine run on a real server, in this thread, on the simulated engine. */
export function simulated(tempo: MLCEngineConfig['tempo'] = {}): Pick<MLCEngineConfig, 'tempo'> {
  const host = new TempoServer();
  onTestFinished(() => host.dispose());
  return { tempo: { engine: 'simulated', host, ...tempo } };
}

export function engineOf(
  models: string | string[] = CHAT,
  config: MLCEngineConfig = {},
): Promise<MLCEngine> {
  return CreateMLCEngine(models, { ...simulated(), ...config });
}

export const user = (content: string) => ({ role: 'user' as const, content });

export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** What a call throws: its WebLLM name, and our code and field. */
export async function thrown(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    const { name, code, param } = error as { name: string; code: string; param?: string };
    return { name, code, param };
  }
  throw new Error('It throws nothing.');
}
