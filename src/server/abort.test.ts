import { describe, expect, it } from 'vitest';
import { codeOf, Harness } from './testing/harness';

const NEIGHBOUR = { simulate: { content: 'The neighbour says all of this, whatever happens.' } };
const LONG = { messages: [{ role: 'user' as const, content: 'word '.repeat(900) }] };

describe('an abort', () => {
  // A long prompt takes the first steps; the rest decode.
  it.each([1, 2, 3, 4, 5, 8, 12])('in step %i frees the pages before the next', async (at) => {
    let pagesAfter: number | undefined;
    const harness: Harness = await new Harness({
      mishap: (step, device) => {
        if (step === at) void harness.server.abort('x');
        if (step === at + 1) pagesAfter = [...device.sequences].filter((id) => id === 'x').length;
      },
    }).loaded();
    const aborted = harness.ask({ ...LONG, ignore_eos: true }, { id: 'x' });
    const neighbour = await harness.ask(NEIGHBOUR);
    expect(codeOf(await aborted)).toBe('aborted');
    expect(neighbour.texts).toEqual([NEIGHBOUR.simulate.content]);
    expect(pagesAfter).toBe(0);
    expect(harness.ends('x')).toBe(1);
    expect(harness.device.usedPages).toBe(0);
  });

  it('of a request that waits takes it out of the queue', async () => {
    const harness = await new Harness({ profile: { maxSequences: 1 } }).loaded();
    const first = harness.submit(NEIGHBOUR);
    const second = harness.submit({}, { id: 'x' });
    await second.receipt;
    await harness.server.abort('x');
    expect(codeOf(await second.answer)).toBe('aborted');
    expect((await first.answer).texts).toEqual([NEIGHBOUR.simulate.content]);
  });

  it('of a request alone frees its pages though no step follows', async () => {
    const harness = await new Harness().loaded();
    const { id, receipt, answer } = harness.submit({ ignore_eos: true });
    await receipt;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(harness.device.usedPages).toBeGreaterThan(0);
    await harness.server.abort(id);
    await answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(harness.device.usedPages).toBe(0);
  });

  it('before the request was looked at refuses it', async () => {
    const harness = await new Harness().loaded();
    const { receipt } = harness.submit({}, { id: 'x' });
    await harness.server.abort('x');
    const outcome = await receipt;
    const { metrics } = await harness.snapshot();
    if (outcome.ok) expect(metrics.total.aborted).toBe(1);
    else expect(outcome.error.code).toBe('aborted');
  });

  it('while a sequence is swapped out harms neither', async () => {
    const ask = (seed: number) => ({ seed, max_tokens: 120, ignore_eos: true });
    const calm = await new Harness().loaded();
    const texts = await Promise.all([1, 2, 3].map((seed) => calm.ask(ask(seed))));
    const harness = await new Harness({
      profile: { totalPages: 18 },
      capabilities: { swap: true },
    }).loaded({ policy: 'fcfs' });
    const submissions = [1, 2, 3].map((seed) => harness.submit(ask(seed)));
    const victims = [harness.submit(ask(4)), harness.submit(ask(5))];
    while (harness.device === undefined || harness.device.swaps < 2) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (const { id } of victims) await harness.server.abort(id);
    const answers = await Promise.all(submissions.map(({ answer }) => answer));
    expect(answers.map((answer) => answer.texts)).toEqual(texts.map((answer) => answer.texts));
    for (const { answer } of victims) expect(codeOf(await answer)).toBe('aborted');
    expect(harness.device.usedPages).toBe(0);
  });

  it('after the end, or of nobody, does nothing', async () => {
    const harness = await new Harness().loaded();
    await harness.ask(NEIGHBOUR, { id: 'x' });
    await harness.server.abort('x');
    await harness.server.abort('nobody');
    await harness.ask(NEIGHBOUR);
    expect(harness.ends('x')).toBe(1);
  });
});
