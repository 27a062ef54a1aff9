/** Joins one scheduler to one engine, and speaks OpenAI's chat completions. In a worker, a page, or Node. */
export * from './engines';
export * from './host';
export * from './server';
