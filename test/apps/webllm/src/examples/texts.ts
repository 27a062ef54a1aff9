/** After WebLLM's text-completion, embeddings and multi-models. */
import * as webllm from '@mlc-ai/web-llm';
import { type Checks, equal, ok } from '../check';
import { EMBEDDING, MODEL, onTempo, says } from './on-tempo';

export const texts: Checks = {
  'a text goes on': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const reply = await engine.completions.create({
      prompt: 'Once upon a time',
      echo: true,
      max_tokens: 32,
      ...says(' there was a king.'),
    });
    equal(reply.choices[0].text, 'Once upon a time there was a king.');
    await engine.unload();
  },

  'texts as vectors': async () => {
    const engine = await webllm.CreateMLCEngine(EMBEDDING, onTempo);
    const documents = ['[CLS] The sea is wide. [SEP]', '[CLS] Cats sleep all day. [SEP]'];
    const { data, usage } = await engine.embeddings.create({ input: [...documents, documents[0]] });
    equal(data.length, 3);
    const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    const [sea, cats, again] = data.map(({ embedding }) => embedding);
    ok(dot(sea, again) > dot(sea, cats), 'the same text is not the nearest');
    ok(usage.extra.prefill_tokens_per_s > 0, 'there is no rate');
    await engine.unload();
  },

  'a chat model and an embedding model, side by side': async () => {
    const engine = await webllm.CreateMLCEngine([MODEL, EMBEDDING], onTempo);
    const [reply, { data }] = await Promise.all([
      engine.chat.completions.create({
        model: MODEL,
        messages: [{ role: 'user', content: 'Hello' }],
        ...says('Hi.'),
      }),
      engine.embeddings.create({ model: EMBEDDING, input: 'Hello' }),
    ]);
    equal(reply.choices[0].message.content, 'Hi.');
    equal(data.length, 1);
    await engine.unload();
  },
};
