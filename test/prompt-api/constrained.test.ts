import { describe, expect, it } from 'vitest';
import { createTempo } from '../../src/client';
import { STAND_IN_MODEL, StandIn } from '../../src/engine/testing/stand-in';
import { loadWebLlmEngine } from '../../src/engine/webllm';
import { createLanguageModel } from '../../src/prompt-api';
import { TempoServer } from '../../src/server';

/** On the WebLLM engine, with a stand-in for WebLLM: real grammars hold what knows nothing of them. */
async function startWebLlm() {
  const world = new StandIn();
  const server = new TempoServer({
    engines: {
      webllm: {
        check: async () => {},
        load: ({ model }, loading) =>
          loadWebLlmEngine({
            ...loading,
            model,
            webllm: world.webllm,
            gpu: world.gpu,
            maxSequences: 8,
            kvBudgetBytes: 128 * 4096,
          }),
      },
    },
  });
  const tempo = createTempo({ model: STAND_IN_MODEL, host: server });
  return { tempo, LanguageModel: createLanguageModel(tempo) };
}

const options = { omitResponseConstraintInput: true };

describe('on an engine that constrains, a model that knows nothing', () => {
  it('writes JSON that follows the schema', async () => {
    const { tempo, LanguageModel } = await startWebLlm();
    const session = await LanguageModel.create({ samplingMode: 'most-predictable' });
    const responseConstraint = {
      type: 'object',
      properties: {
        rating: { type: 'integer', minimum: 0, maximum: 5 },
        sure: { type: 'boolean' },
      },
      required: ['rating', 'sure'],
      additionalProperties: false,
    };
    const answer = JSON.parse(await session.prompt('Rate it.', { ...options, responseConstraint }));
    expect(Object.keys(answer)).toEqual(['rating', 'sure']);
    expect([0, 1, 2, 3, 4, 5]).toContain(answer.rating);
    await tempo.dispose();
  });

  it.each([/^(yes|no|perhaps)$/, /[A-Z]{2}-\d{4}/, /"[a-z ]{3}" or '\d{2}'/])(
    'writes what matches %s',
    async (responseConstraint) => {
      const { tempo, LanguageModel } = await startWebLlm();
      const session = await LanguageModel.create({ samplingMode: 'most-predictable' });
      const answer = await session.prompt('Well?', { ...options, responseConstraint });
      expect(answer).toMatch(responseConstraint);
      await tempo.dispose();
    },
  );

  it('goes on from a prefix within its constraint', async () => {
    const { tempo, LanguageModel } = await startWebLlm();
    const session = await LanguageModel.create({ samplingMode: 'most-predictable' });
    const answer = await session.prompt(
      [
        { role: 'user', content: 'Well?' },
        { role: 'assistant', content: 'I say', prefix: true },
      ],
      { ...options, responseConstraint: / (yes|no)/ },
    );
    expect(answer).toMatch(/^ (yes|no)$/);
    await tempo.dispose();
  });

  it('calls a tool, or writes what the constraint asks for', async () => {
    const { tempo, LanguageModel } = await startWebLlm();
    let calls = 0;
    const tools = [
      {
        name: 'c',
        description: 'x',
        inputSchema: { type: 'object', properties: {}, additionalProperties: false },
        execute: async () => String(++calls),
      },
    ];
    // It does one or the other, by chance: until both were seen.
    const called = new Set<boolean>();
    for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') {
      const session = await LanguageModel.create({ samplingMode: 'most-predictable', tools });
      const before = calls;
      const prompt = session.prompt(`${letter}?`, { ...options, responseConstraint: /yes|no/ });
      const answer = await prompt.catch((error: DOMException) => error.name);
      if (answer === 'QuotaExceededError') continue; // it called until its window was full
      expect(answer).toMatch(/^(yes|no)$/);
      called.add(calls > before);
      if (called.size === 2) break;
    }
    expect([...called].sort()).toEqual([false, true]);
    await tempo.dispose();
  });
});
