import { describe, expect, it } from 'vitest';
import { POLICY_NAMES, TempoError } from '../scheduler';
import { codeOf, Harness, type Mishap } from './testing/harness';

const ASKS = [
  { seed: 11, max_tokens: 24 },
  { simulate: { content: 'It goes on where it was, without a word lost or said twice.' } },
  { messages: [{ role: 'user' as const, content: 'word '.repeat(700) }], seed: 5, max_tokens: 9 },
  { seed: 3, max_tokens: 12, n: 2 },
];

async function answers(mishap?: Mishap) {
  const harness = await new Harness({ mishap, profile: { maxSequences: 3 } }).loaded();
  const all = await Promise.all(ASKS.map((params) => harness.ask(params)));
  return { harness, all };
}

const loseAt =
  (...steps: number[]): Mishap =>
  (step, device) => {
    if (steps.includes(step)) device.lose();
  };

describe('a lost device', () => {
  it('is replaced, and every text is what it would have been, wherever it was lost', async () => {
    const calm = await answers();
    const texts = calm.all.map((answer) => answer.texts);
    expect(calm.harness.steps).toBeGreaterThan(20);
    let losses = 0;
    for (let step = 1; step <= calm.harness.steps; step++) {
      const { harness, all } = await answers(loseAt(step));
      expect(all.map((answer) => answer.texts)).toEqual(texts);
      expect(all.map(codeOf)).toEqual(['done', 'done', 'done', 'done']);
      // Requests that come at other moments may share more steps, and be done before the last of them.
      if (harness.steps < step) continue;
      losses++;
      expect(harness.devices).toHaveLength(2);
      expect(harness.devices[0].disposed).toBe(true);
      expect(harness.device.usedPages).toBe(0);
      expect(harness.states.map(({ phase }) => phase).slice(-2)).toEqual(['recovering', 'ready']);
    }
    expect(losses).toBeGreaterThan(20);
  });

  it('is given each request’s tokens so far: the prompt, and what was drawn after it', async () => {
    const { harness } = await answers(loseAt(9));
    const [lost, back] = harness.devices;
    let carried = 0;
    for (const id of lost.sequences) {
      const before = lost.tokens.get(id);
      if (before === undefined) throw new Error(`there is no ${id}`);
      expect(back.tokens.get(id)?.given).toEqual([...before.given, ...before.drawn]);
      carried += before.drawn.length;
    }
    expect(carried).toBeGreaterThan(5);
  });

  it.each(POLICY_NAMES)('right after a switch to %s leaves nobody behind', async (policy) => {
    const harness: Harness = await new Harness({
      mishap: (step, device) => {
        if (step !== 4) return;
        void harness.server.setPolicy(policy);
        device.lose();
      },
    }).loaded({ policy: 'fcfs' });
    const slo = { class: 'latency', ttft: 200, tbt: 30 } as const;
    const all = await Promise.all([1, 2, 3].map(() => harness.ask({ max_tokens: 9 }, { slo })));
    expect(all.map(codeOf)).toEqual(['done', 'done', 'done']);
  });

  it('may be lost again', async () => {
    const calm = await answers();
    const { harness, all } = await answers(loseAt(4, 9, 15));
    expect(all.map((answer) => answer.texts)).toEqual(calm.all.map((answer) => answer.texts));
    expect(harness.devices).toHaveLength(4);
  });

  it('while nobody asks is replaced all the same', async () => {
    const harness = await new Harness().loaded();
    harness.device.lose();
    const { texts } = await harness.ask({ simulate: { content: 'Back again.' } });
    expect(texts).toEqual(['Back again.']);
    expect(harness.devices).toHaveLength(2);
  });

  it('takes submissions while it is away, and serves them when it is back', async () => {
    let submitted: Promise<unknown> | undefined;
    const harness: Harness = await new Harness({
      mishap: loseAt(3),
      onLoad: async (load) => {
        if (load === 2) submitted = harness.ask({ simulate: { content: 'I waited.' } });
        await new Promise((resolve) => setTimeout(resolve, 20));
      },
    }).loaded();
    await harness.ask({ max_tokens: 6 });
    expect(await submitted).toMatchObject({ texts: ['I waited.'], end: { type: 'done' } });
  });

  it('takes submissions between two tries to get it back, too', async () => {
    const harness = await new Harness({
      mishap: loseAt(2),
      onLoad: (load) => {
        if (load === 2) throw new TempoError('network', 'The connection broke off.');
      },
    }).loaded();
    const first = harness.ask({ simulate: { content: 'I go on.' } });
    let state = harness.states.at(-1);
    while (state?.phase !== 'recovering' || state.attempt < 2) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      state = harness.states.at(-1);
    }
    const { receipt, answer } = harness.submit({ simulate: { content: 'I waited.' } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(harness.devices).toHaveLength(1);
    expect((await receipt).ok).toBe(true);
    expect(harness.devices).toHaveLength(2);
    expect((await answer).texts).toEqual(['I waited.']);
    expect((await first).texts).toEqual(['I go on.']);
  });

  it('lost while a request’s grammar is checked is not the request’s fault', async () => {
    const harness = await new Harness().loaded();
    const { device } = harness;
    Object.assign(device, {
      checkGrammar: async () => {
        device.lose();
        throw new Error('Cannot pass deleted object as a pointer');
      },
    });
    const { texts } = await harness.ask({
      response_format: { type: 'json_object' },
      simulate: { content: '{}' },
    });
    expect(texts).toEqual(['{}']);
    expect(harness.devices).toHaveLength(2);
  });

  it('that keeps being lost fails its requests, and says so', async () => {
    const harness = await new Harness({ mishap: (_, device) => device.lose() }).loaded();
    const all = await Promise.all([harness.ask({}), harness.ask({ n: 2 })]);
    expect(all.map(codeOf)).toEqual(['engine_lost', 'engine_lost']);
    expect(harness.devices.length).toBeLessThanOrEqual(4);
    expect(harness.states.at(-1)?.phase).toBe('failed');
    const later = await harness.submit({}).receipt;
    expect(later).toMatchObject({ ok: false, error: { code: 'not_loaded' } });
    expect((await harness.load()).ok).toBe(true);
    expect(codeOf(await harness.ask({ max_tokens: 1 }))).toBe('engine_lost');
  });

  it('under one request again and again fails that one, and nobody else', async () => {
    const harness = await new Harness({
      mishap: (_, device) => {
        if (device.sequences.has('poison') && device.steps > 2) device.lose();
      },
      profile: { maxSequences: 1 },
    }).loaded({ policy: 'fcfs' });
    const poison = harness.ask({ max_tokens: 30 }, { id: 'poison' });
    const next = harness.ask({ simulate: { content: 'Unharmed.' } });
    expect(codeOf(await poison)).toBe('engine_lost');
    expect((await next).texts).toEqual(['Unharmed.']);
    expect(harness.states.at(-1)?.phase).toBe('ready');
  });

  it('that cannot be loaded again fails everything with a sentence', async () => {
    const harness = await new Harness({
      mishap: loseAt(2),
      onLoad: (load) => {
        if (load > 1) throw new TempoError('out_of_memory', 'There is no memory left.');
      },
    }).loaded();
    const { end } = await harness.ask({});
    expect(end).toMatchObject({ type: 'error', error: { code: 'engine_lost' } });
    if (end.type === 'error') expect(end.error.message).toContain('no memory left');
    expect(harness.states.at(-1)?.phase).toBe('failed');
  });

  it('can be given up for another engine while it is away', async () => {
    const harness: Harness = await new Harness({
      mishap: loseAt(2),
      onLoad: (load, signal) =>
        load === 2
          ? new Promise((_, reject) => {
              signal?.addEventListener('abort', () => reject(signal.reason));
            })
          : undefined,
    }).loaded();
    const { answer } = harness.submit({});
    while (harness.states.at(-1)?.phase !== 'recovering') {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await harness.load()).ok).toBe(true);
    expect(codeOf(await answer)).toBe('disposed');
    expect(codeOf(await harness.ask({ max_tokens: 2 }))).toBe('done');
  });
});

describe('one sequence that fails in a step', () => {
  const sentence = 'The grammar’s matcher failed.';

  it('ends its request alone, with what it failed of, wherever that is', async () => {
    const asks = [1, 2, 3].map((seed) => ({ seed, max_tokens: 12, ignore_eos: true }));
    const calm = await new Harness().loaded();
    const whole = await Promise.all(asks.map((params) => calm.ask(params)));
    for (let at = 1; at <= calm.steps; at++) {
      const harness: Harness = await new Harness({
        mishap: (step, device) => {
          const [, second] = [...device.sequences];
          if (step === at && second !== undefined) {
            device.failing.set(second, new TempoError('engine_failed', sentence));
          }
        },
      }).loaded();
      const all = await Promise.all(asks.map((params) => harness.ask(params)));
      const broken = all.filter((answer) => codeOf(answer) !== 'done');
      expect(broken).toHaveLength(1);
      expect(broken[0].end).toMatchObject({ error: { code: 'engine_failed', message: sentence } });
      for (const [i, { texts }] of all.entries()) {
        if (all[i] === broken[0]) expect(whole[i].texts[0].startsWith(texts[0])).toBe(true);
        else expect(texts).toEqual(whole[i].texts);
      }
      expect(harness.devices).toHaveLength(1);
      expect(harness.device.usedPages).toBe(0);
      expect(harness.device.sequences.size).toBe(0);
    }
  });

  it('ends the other choices of its request too, and nobody else’s', async () => {
    const harness: Harness = await new Harness({
      mishap: (step, device) => {
        const last = [...device.sequences].at(-1);
        if (step === 6 && last !== undefined) {
          device.failing.set(last, new TempoError('engine_failed', sentence));
        }
      },
    }).loaded({ policy: 'fcfs' });
    const other = harness.ask({ max_tokens: 12, ignore_eos: true });
    const many = harness.ask({ n: 3, max_tokens: 12, ignore_eos: true }, { id: 'many' });
    expect(codeOf(await many)).toBe('engine_failed');
    expect(codeOf(await other)).toBe('done');
    expect(harness.ends('many')).toBe(1);
    expect(harness.device.usedPages).toBe(0);
  });
});

describe('a step that fails on a device that is fine', () => {
  it('fails its members, and those that come after go on', async () => {
    const harness: Harness = await new Harness({
      mishap: (step) => {
        if (step === 5) throw new TempoError('engine_failed', 'A kernel failed.');
      },
      profile: { maxSequences: 1 },
    }).loaded({ policy: 'webllm' });
    const first = harness.ask({ ignore_eos: true });
    const second = harness.ask({ simulate: { content: 'Unharmed.' } });
    const { end } = await first;
    expect(end).toMatchObject({ error: { code: 'engine_failed', message: 'A kernel failed.' } });
    expect((await second).texts).toEqual(['Unharmed.']);
    expect(harness.device.usedPages).toBe(0);
    expect(harness.devices).toHaveLength(1);
  });
});
