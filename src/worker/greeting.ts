/**
 * What a server says at a port when it begins to listen, and in answer to a page's greeting. Until then
 * nothing else may be sent: a worker whose code arrives bit by bit (one that awaits an `import()`) never
 * gets what came before.
 *
 * A page greets with this, or with the name of a lock that begins so (`navigator.locks`): it holds that
 * lock for as long as it is there. Browsers tell of a closed port nowhere else.
 */
export const GREETING = 'tempo-llm';
