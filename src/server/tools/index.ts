/** OpenAI tool calling for any chat model: tools into the prompt, a grammar over the answer, calls out. */
export * from './tool-call-parser';
export * from './tool-format';
export * from './tools';
export * from './turns';
