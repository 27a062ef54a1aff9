/**
 * What the examples add for Tempo, where there is no GPU. Its type says nothing, so that they are checked
 * against WebLLM's types, too.
 */
export const onTempo: object = { tempo: { engine: 'simulated' } };

/** What a simulated model answers. */
export const says = (content: string): object => ({ simulate: { content } });
export const calls = (name: string, args: object): object => ({
  simulate: { tool_calls: [{ name, arguments: args }] },
});

export const MODEL = 'Llama-3.2-1B-Instruct-q4f16_1-MLC';
export const EMBEDDING = 'snowflake-arctic-embed-s-q0f32-MLC-b4';
