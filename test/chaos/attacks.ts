/** Requests that are meant to do harm, by the kind of harm. Each gives a new one. */

/** What differs from one to the next, 0 to 1. */
export type Random = () => number;

type Attack = (random: Random) => unknown;

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
const HELLO = user('Hello');
const held = (schema: unknown) => ({
  ...HELLO,
  response_format: { type: 'json_object', schema: JSON.stringify(schema) },
});
const between = (random: Random, least: number, most: number) =>
  Math.floor(least + random() * (most - least));

function nested(depth: number, innermost: unknown = 1): unknown {
  let value = innermost;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { value };
  return value;
}

function cycle(): object {
  const one: { self?: unknown } = {};
  one.self = one;
  return one;
}

/** Two references to each of `levels` objects: 2 ** levels values. */
function doubling(levels: number): unknown {
  let value: unknown = 'end';
  for (let i = 0; i < levels; i++) value = [value, value];
  return value;
}

function withHole(value: unknown): unknown[] {
  const list: unknown[] = [];
  list[1] = value;
  return list;
}

const torn = () => {
  throw new Error('torn');
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
};

/** Large and costly ones: refused before any work, or worked off bit by bit. */
export const COSTLY: Record<string, Attack> = {
  'megabytes of words': (r) => user('word '.repeat(between(r, 5e5, 4e6))),
  'megabytes without a space': (r) => user('x'.repeat(between(r, 1e5, 2e7))),
  'megabytes of new words': (r) =>
    user(Array.from({ length: between(r, 1e4, 2e5) }, (_, i) => `${i.toString(36)}!`).join('')),
  'megabytes of spaces': (r) => user(' '.repeat(between(r, 1e5, 4e6))),
  'a word for each of many messages': (r) => ({
    messages: Array.from({ length: between(r, 4000, 60_000) }, () => ({
      role: 'user',
      content: 'a',
    })),
  }),
  'a list of a million numbers': (r) => ({
    prompt: new Array(between(r, 2e5, 1e6)).fill(7),
    ...HELLO,
  }),
  'a list of a billion holes': () => ({ ...HELLO, stop: new Array(1e9) }),
  'objects that double': (r) => ({ ...HELLO, metadata: doubling(between(r, 20, 60)) }),
  'many parts': (r) =>
    user(Array.from({ length: between(r, 1e4, 8e4) }, () => ({ type: 'text', text: 'a' }))),
  'a bias for every token': (r) => ({
    ...HELLO,
    logit_bias: Object.fromEntries(Array.from({ length: between(r, 9e3, 6e4) }, (_, i) => [i, 1])),
  }),
  'long stop strings': (r) => ({
    ...HELLO,
    stop: Array.from({ length: 16 }, () => 'a'.repeat(between(r, 1e3, 1e5))),
    simulate: { content: 'a'.repeat(20_000) },
  }),
  'many choices of a long answer': (r) => ({
    ...HELLO,
    n: 128,
    max_tokens: 1,
    simulate: { content: 'word '.repeat(between(r, 1e4, 2e6)) },
  }),
  'a name of megabytes': (r) => ({ ...HELLO, ['x'.repeat(between(r, 1e5, 4e6))]: 1 }),
  'a model of megabytes': (r) => ({ ...HELLO, model: 'm'.repeat(between(r, 1e5, 4e6)) }),
  'many fields': (r) => ({
    ...HELLO,
    ...Object.fromEntries(Array.from({ length: between(r, 1e4, 8e4) }, (_, i) => [`f${i}`, i])),
  }),
  'an array of a billion items': (r) =>
    held({ type: 'array', items: { type: 'integer' }, minItems: between(r, 1e6, 1e9) }),
  'arrays of arrays of arrays': (r) => {
    let schema: object = { type: 'null' };
    for (let i = 0; i < 4; i++)
      schema = { type: 'array', items: schema, minItems: between(r, 9, 50) };
    return held(schema);
  },
  'a deep constant': (r) => held({ const: nested(between(r, 100, 500)) }),
  'many optional properties': (r) => {
    const names = Array.from({ length: between(r, 1000, 6000) }, (_, i) => [`k${i}`, true]);
    return held({ type: 'object', properties: Object.fromEntries(names) });
  },
  'schemas that share their parts': (r) => {
    let schema: object = { type: 'string' };
    for (let i = between(r, 4, 40); i > 0; i--) {
      schema = { type: 'object', properties: { a: schema, b: schema } };
    }
    return {
      ...HELLO,
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
    };
  },
  'a pattern of groups in groups': (r) => {
    const depth = between(r, 20, 5000);
    return held({ type: 'string', pattern: `${'('.repeat(depth)}a${')'.repeat(depth)}` });
  },
  'a pattern of many states': (r) =>
    held({ type: 'string', pattern: `(a|b)*a(a|b){${between(r, 8, 60)}}` }),
  'a schema that is deep as text': (r) => {
    const depth = between(r, 600, 40_000);
    const schema = `${'{"not":'.repeat(depth)}{}${'}'.repeat(depth)}`;
    return { ...HELLO, response_format: { type: 'json_object', schema } };
  },
  'brackets for a schema': (r) => ({
    ...HELLO,
    response_format: { type: 'json_object', schema: '['.repeat(between(r, 1e5, 4e6)) },
  }),
  'many calls of the past': (r) => ({
    messages: [
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        tool_calls: Array.from({ length: between(r, 1e4, 4e4) }, (_, i) => ({
          id: `c${i}`,
          type: 'function',
          function: { name: 'f', arguments: '{}' },
        })),
      },
    ],
  }),
};

/** Those that are no data, or not what they should be. */
export const MISSHAPEN: Record<string, Attack> = {
  nothing: () => undefined,
  null: () => null,
  'a number': () => 7,
  'a list': () => [],
  'messages that are null': () => ({ messages: null }),
  'a message that is null': () => ({ messages: [null] }),
  'a hole among messages': () => ({ messages: withHole({ role: 'user', content: 'Hi' }) }),
  'a hole among parts': () => user(withHole({ type: 'text', text: 'a' })),
  'a big number': () => ({ ...HELLO, seed: 10n }),
  'big numbers within': () => ({ ...HELLO, stop: [10n] }),
  'a cycle': () => ({ ...HELLO, metadata: cycle() }),
  'a cycle of messages': () => {
    const messages: unknown[] = [];
    messages.push(messages);
    return { messages };
  },
  'no text': () => user({ toString: 1 }),
  'a role that is no text': () => ({ messages: [{ role: { toString: 1 }, content: 'a' }] }),
  'a stop that is no text': () => ({ ...HELLO, stop: { toString: 1 } }),
  'an object without a parent': () => ({ ...HELLO, stage: Object.create(null) }),
  'a stage that is half a character': () => ({ ...HELLO, stage: '\ud800' }),
  'an objective that is no text': () => ({ ...HELLO, slo: { class: { toString: 1 } } }),
  'times that are no numbers': () => ({
    ...HELLO,
    slo: { class: 'deadline', ttlt: { toString: 1 } },
  }),
  'a list for an objective': () => ({ ...HELLO, slo: [[]] }),
  'a getter that throws': () => ({
    ...HELLO,
    get stop() {
      return torn();
    },
  }),
  'a getter deep within': () =>
    user([
      {
        type: 'text',
        text: 'a',
        get extra() {
          return torn();
        },
      },
    ]),
  'a proxy that throws': () => new Proxy({ ...HELLO }, { get: torn, ownKeys: torn }),
  'a message that throws': () => ({ messages: [new Proxy({}, { ownKeys: torn })] }),
  'a proxy that was revoked': () => ({ messages: revoked() }),
  'a list without a length': () => ({
    messages: new Proxy([], {
      get: (list, name) => (name === 'length' ? Number.NaN : Reflect.get(list, name)),
    }),
  }),
  'a function': () => ({ ...HELLO, stop: () => 'a' }),
  'a symbol': () => ({ ...HELLO, stop: Symbol('a') }),
  'a map': () => ({ ...HELLO, logit_bias: new Map([[1, 1]]) }),
  'deep nesting': (r) => ({ ...HELLO, metadata: nested(between(r, 300, 50_000)) }),
  'JSON that throws': () => ({ ...HELLO, metadata: { toJSON: torn } }),
  'JSON without an end': () => {
    const endless = () => ({ toJSON: endless });
    return { ...HELLO, metadata: endless() };
  },
  'a signal for a number': () => ({ ...HELLO, n: { valueOf: torn } }),
  ...Object.fromEntries(
    [1e9, Number.POSITIVE_INFINITY, Number.NaN, -1, 0.5, '2'].map((n) => [
      `n of ${n}`,
      () => ({ ...HELLO, n }),
    ]),
  ),
};
