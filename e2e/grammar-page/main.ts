/** A page whose model knows nothing, held to schemas all the same. */
import { createTempo, TempoError } from '../../src/client';

export interface Asked {
  texts: string[];
  /** What a schema that cannot be followed is refused with. */
  refused: string;
  isIsolated: boolean;
}

declare global {
  /** The answers to some questions at once, with the engine's worker by that name. */
  var ask: (name: string) => Promise<Asked>;
  /** Ends the grammar worker; resolves to how many were started. */
  var kill: () => Promise<number>;
}

const record = (i: number) => ({
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 12 + i },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    mail: { type: 'string', format: 'email' },
    tags: { type: 'array', items: { enum: ['a', 'b/c', `d${i}`] }, uniqueItems: true },
  },
  required: ['name', 'age', 'mail', 'tags'],
  additionalProperties: false,
});

globalThis.ask = async (name) => {
  const worker = new Worker(new URL('./engine-worker.ts', import.meta.url), {
    type: 'module',
    name,
  });
  const tempo = createTempo({ model: 'any', worker });
  const { completions } = tempo.app('chat').chat;
  const answer = async (i: number, held: boolean) => {
    const { choices } = await completions.create({
      messages: [{ role: 'user', content: `Question ${i}` }],
      temperature: 0.9,
      seed: i,
      max_tokens: held ? 300 : 60,
      ...(held && {
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema: record(i) } },
      }),
    });
    return choices[0].message.content ?? '';
  };
  const texts = await Promise.all(Array.from({ length: 8 }, (_, i) => answer(i, i % 2 === 0)));
  const schema = { pattern: '(a)\\1' };
  const refused = await completions
    .create({
      messages: [{ role: 'user', content: 'No' }],
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    })
    .then(
      () => 'nothing',
      (thrown) => (thrown instanceof TempoError ? `${thrown.code} ${thrown.param}` : `${thrown}`),
    );
  await tempo.dispose();
  return { texts, refused, isIsolated: globalThis.crossOriginIsolated };
};

globalThis.kill = () =>
  new Promise((resolve) => {
    const orders = new BroadcastChannel('grammar-page');
    orders.onmessage = ({ data }) => resolve(data);
    orders.postMessage('kill');
  });
