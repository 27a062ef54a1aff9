import { describe, expect, it } from 'vitest';
import type { SamplingParams } from '../../scheduler';
import type { StepEngine } from '../step-engine';
import { stepEngineContract } from '../testing/contract';
import { STAND_IN_MODEL, StandIn, type StandInOptions } from '../testing/stand-in';
import { loadWebLlmEngine } from './load';
import type { WebLlmOptions } from './webllm-options';

function load(world: StandIn, options: Partial<WebLlmOptions> = {}): Promise<StepEngine> {
  return loadWebLlmEngine({
    model: STAND_IN_MODEL,
    webllm: world.webllm,
    gpu: world.gpu,
    maxSequences: 8,
    kvBudgetBytes: 1 << 16,
    ...options,
  });
}

const KINDS: [string, StandInOptions, Partial<WebLlmOptions>][] = [
  ['an old library, no prefixes kept', {}, { keepPrefixes: 0 }],
  ['an old library', {}, {}],
  ['a library without functions for one sequence alone', { lacks: ['prefill', 'decode'] }, {}],
  [
    'learned positions',
    { metadata: { params: [{ name: 'wpe.weight', shape: [9, 1], dtype: 'float32' }] } },
    {},
  ],
  ['a library that samples on the GPU', { samplesOnGpu: true }, { keepPrefixes: 3 }],
];

for (const [kind, standIn, options] of KINDS) {
  describe(`StepEngine contract: WebLLM on a stand-in, ${kind}`, () => {
    const world = new StandIn(standIn);
    // The many requests are the same for all kinds; one kind runs them all.
    const requests = options.keepPrefixes === 0 ? 500 : 60;
    for (const { name, run } of stepEngineContract({
      load: () => load(world, options),
      requests,
    })) {
      it(name, run);
    }
    it('frees every object of the runtime, and corrupts nothing', () => {
      expect(world.objects).toBe(0);
      expect(world.scopes).toHaveLength(0);
      expect(world.corruptions).toEqual([]);
    });
  });
}

describe('The contract can fail', () => {
  const WRONG: [keyof NonNullable<StandInOptions['wrong']>, RegExp][] = [
    ['chunks', /in chunks of 7/],
    ['batches', /in a batch/],
    ['forks', /on a cached prefix/],
  ];
  for (const [what, complaint] of WRONG) {
    it(`on a GPU that computes ${what} wrongly`, async () => {
      const world = new StandIn({ wrong: { [what]: true } });
      const keepPrefixes = what === 'chunks' ? 0 : 8;
      const complaints: string[] = [];
      const checks = stepEngineContract({
        load: () => load(world, { keepPrefixes, selfTest: 'never' }),
        requests: 20,
      });
      for (const { run } of checks) {
        await run().catch((error: Error) => complaints.push(error.message));
      }
      expect(complaints.join('\n')).toMatch(complaint);
    });
  }
});

describe('A kept prefix that loses its last pages', () => {
  /** The answer to a prompt of seven pages: cold, and on what another prompt has left of it. */
  async function answers(wrong: StandInOptions['wrong']) {
    const pages = 12;
    const options = { kvBudgetBytes: 64 * 16 * pages, keepPrefixes: 2, selfTest: 'never' } as const;
    const engine = await load(new StandIn({ wrong }), options);
    const answer = async (id: string, length: number, first: number) => {
      const tokens = Array.from({ length }, (_, i) => 1 + ((first + 7 * i) % 200));
      const sampling = { temperature: 0, topP: 1, seed: 0, ignoreEos: true };
      const { cachedTokens } = engine.add({ id, tokens, promptTokens: length, sampling });
      const text: number[] = [];
      for (let left = length - cachedTokens; text.length < 8; left = 1) {
        const { sampled } = await engine.step({ work: [{ sequenceId: id, tokens: left }] });
        text.push(sampled.get(id)?.token ?? -1);
      }
      engine.remove(id);
      return { text, cachedTokens };
    };
    const cold = await answer('cold', 100, 3);
    await answer('other', 130, 90);
    return { cold, warm: await answer('warm', 100, 3) };
  }

  it('gives the text that it gave before', async () => {
    const { cold, warm } = await answers({});
    expect(warm.cachedTokens).toBeGreaterThan(0);
    expect(warm.cachedTokens).toBeLessThan(100 - 16);
    expect(warm.text).toEqual(cold.text);
  });

  it('gives another on a GPU that pops wrongly, untested', async () => {
    const { cold, warm } = await answers({ pops: true });
    expect(warm.text).not.toEqual(cold.text);
  });
});

describe('Structured output', () => {
  const schema = JSON.stringify({
    type: 'object',
    properties: { tempo: { enum: ['allegro', 'adagio'] }, bpm: { type: 'boolean' } },
    required: ['tempo', 'bpm'],
    additionalProperties: false,
  });
  const grammar = { type: 'json_schema', schema } as const;
  const ends = (token: number | undefined) => token === 257 || token === 258;

  async function answer(
    engine: StepEngine,
    options: { mates: number; dropAfter?: number },
  ): Promise<string> {
    const tokens = engine.model.tokenizer.encode('Give me JSON.');
    const sampling = { temperature: 1, topP: 1, seed: 11, grammar };
    let spec = { id: 'json', tokens, promptTokens: tokens.length, sampling };
    const mates = Array.from({ length: options.mates }, (_, i) => `mate ${i}`);
    for (const [i, id] of mates.entries()) {
      const free = { temperature: 0, topP: 1, seed: i, ignoreEos: true };
      engine.add({ id, tokens: [i + 1, 5, 6], promptTokens: 3, sampling: free });
    }
    let left = tokens.length - engine.add(spec).cachedTokens;
    let mateTokens = 3;
    const text: number[] = [];
    while (!ends(text.at(-1)) && text.length < 200) {
      const { sampled } = await engine.step({
        work: [
          ...mates.map((sequenceId) => ({ sequenceId, tokens: mateTokens })),
          { sequenceId: 'json', tokens: left },
        ],
      });
      mateTokens = 1;
      left = 1;
      text.push(sampled.get('json')?.token ?? -1);
      if (text.length !== options.dropAfter) continue;
      engine.remove('json');
      spec = { ...spec, tokens: Int32Array.from([...tokens, ...text]) };
      left = spec.tokens.length - engine.add(spec).cachedTokens;
    }
    for (const id of [...mates, 'json']) engine.remove(id);
    return engine.model.tokenizer.decode(text.slice(0, -1));
  }

  for (const samplesOnGpu of [false, true]) {
    it(`follows its schema, alone, in a batch and across a drop (${samplesOnGpu ? 'GPU' : 'CPU'})`, async () => {
      const world = new StandIn({ samplesOnGpu });
      const engine = await load(world);
      const alone = await answer(engine, { mates: 0 });
      expect(Object.keys(JSON.parse(alone))).toEqual(['tempo', 'bpm']);
      expect(await answer(engine, { mates: 3 })).toBe(alone);
      expect(await answer(engine, { mates: 2, dropAfter: 7 })).toBe(alone);
      await engine.dispose();
      expect(world.objects).toBe(0);
    });
  }

  it('is refused before anything is queued where the grammar does not compile', async () => {
    const engine = await load(new StandIn());
    const broken = engine.checkGrammar?.({ type: 'ebnf', grammar: 'root ::= (' });
    await expect(broken).rejects.toMatchObject({ code: 'invalid_schema' });
    await engine.dispose();
  });
});

describe('Sampling on the GPU', () => {
  it('is left to the CPU where it goes wrong', async () => {
    for (const wrong of [{ draws: true }, { sums: true }, {}]) {
      const engine = await load(new StandIn({ samplesOnGpu: true, wrong }));
      const notes = engine.status.notes.join();
      expect(/drawn on the CPU/.test(notes)).toBe(Object.keys(wrong).length > 0);
      await engine.dispose();
    }
  });

  it('draws greedily what the CPU draws, penalties (either way round), bias and bans included', async () => {
    const sampling = {
      temperature: 0,
      topP: 1,
      seed: 0,
      ignoreEos: true,
      frequencyPenalty: 1.5,
      presencePenalty: 0.5,
      repetitionPenalty: 1.3,
      logitBias: { 9: 2, 17: -3 },
    };
    const texts: number[][] = [];
    for (const standIn of [
      {},
      { samplesOnGpu: true },
      { samplesOnGpu: true, wrong: { penalties: true } },
    ]) {
      const engine = await load(new StandIn(standIn));
      const text: number[] = [];
      for (const id of ['a', 'b']) {
        const tokens = [id.charCodeAt(0), 2, 3];
        engine.add({ id, tokens, promptTokens: 3, sampling });
      }
      for (let i = 0; i < 20; i++) {
        const tokens = i === 0 ? 3 : 1;
        const work = ['a', 'b'].map((sequenceId) => ({ sequenceId, tokens }));
        for (const { token } of (await engine.step({ work })).sampled.values()) text.push(token);
      }
      texts.push(text);
      await engine.dispose();
    }
    expect(texts[1]).toEqual(texts[0]);
    expect(texts[2]).toEqual(texts[0]);
  });
});

it('The likeliest token is the only one where one may be drawn, whatever samples', async () => {
  for (const samplesOnGpu of [false, true]) {
    const engine = await load(new StandIn({ samplesOnGpu }));
    const text = async (sampling: Partial<SamplingParams>) => {
      const drawn: number[] = [];
      engine.add({
        id: 'a',
        tokens: [5, 6, 7],
        promptTokens: 3,
        sampling: { temperature: 0, topP: 1, seed: 3, ignoreEos: true, ...sampling },
      });
      for (let i = 0; i < 12; i++) {
        const work = [{ sequenceId: 'a', tokens: i === 0 ? 3 : 1 }];
        for (const { token } of (await engine.step({ work })).sampled.values()) drawn.push(token);
      }
      engine.remove('a');
      return drawn;
    };
    const greedy = await text({});
    expect(await text({ temperature: 1.5 })).not.toEqual(greedy);
    expect(await text({ temperature: 1.5, topK: 1 })).toEqual(greedy);
    await engine.dispose();
  }
});

describe('An abort in the middle of a step', () => {
  it('frees the pages before the next one, and the others go on', async () => {
    const world = new StandIn();
    const engine = await load(world, { keepPrefixes: 0 });
    const sampling = { temperature: 0, topP: 1, seed: 0 };
    for (const id of ['a', 'b']) engine.add({ id, tokens: [1, 2, 3], promptTokens: 3, sampling });
    const work = ['a', 'b'].map((sequenceId) => ({ sequenceId, tokens: 3 }));
    const step = engine.step({ work });
    engine.remove('a');
    expect([...(await step).sampled.keys()]).toEqual(['b']);
    expect(engine.kv.freePages).toBe(engine.capacity.totalPages - 1);
    await engine.step({ work: [{ sequenceId: 'b', tokens: 1 }] });
    await engine.dispose();
    expect(world.objects).toBe(0);
    expect(world.corruptions).toEqual([]);
  });
});

describe('Prefix sharing', () => {
  it('does not compute a chat again on its next turn', async () => {
    const world = new StandIn();
    const engine = await load(world);
    const sampling = { temperature: 0, topP: 1, seed: 0 };
    const { tokenizer } = engine.model;
    let history = [...tokenizer.encode('You are a stand-in. '.repeat(3))];
    const computed: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      history = [...history, ...tokenizer.encode(`User: question ${turn}? `)];
      const id = `turn ${turn}`;
      const before = world.embedded.flat().length;
      const { cachedTokens } = engine.add({
        id,
        tokens: history,
        promptTokens: history.length,
        sampling,
      });
      for (let i = 0; i < 10; i++) {
        const tokens = i === 0 ? history.length - cachedTokens : 1;
        const { sampled } = await engine.step({ work: [{ sequenceId: id, tokens }] });
        if (i === 0) computed.push(world.embedded.flat().length - before);
        history = [...history, sampled.get(id)?.token ?? -1];
      }
      engine.remove(id);
    }
    // The question, and the last token of the answer before it.
    const question = tokenizer.encode('User: question 0? ').length;
    expect(computed.slice(1)).toEqual([question + 1, question + 1, question + 1]);
    expect(engine.prefixMetrics).toMatchObject({ lookups: 4, hits: 3 });
    await engine.dispose();
  });

  it('computes one prompt once for several answers', async () => {
    const world = new StandIn();
    const engine = await load(world, { keepPrefixes: 0 });
    const tokens = engine.model.tokenizer.encode('One prompt, many answers. '.repeat(4));
    const ids = ['a', 'b', 'c', 'd'];
    for (const [seed, id] of ids.entries()) {
      const sampling = { temperature: 1, topP: 1, seed };
      engine.add({ id, tokens, promptTokens: tokens.length, sampling });
    }
    const before = world.embedded.flat().length;
    await engine.step({ work: ids.map((sequenceId) => ({ sequenceId, tokens: tokens.length })) });
    expect(world.embedded.flat().length - before).toBe(tokens.length + 3);
    await engine.dispose();
  });
});
