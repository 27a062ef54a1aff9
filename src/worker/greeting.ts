/**
 * What a server says at a port when it begins to listen, and whenever it hears it there. Until then
 * nothing else may be sent: a worker whose code arrives bit by bit (Turbopack's, one that awaits an
 * `import()`) never gets what came before.
 */
export const GREETING = 'tempo-llm';
