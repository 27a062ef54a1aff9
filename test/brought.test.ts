/** What is brought from outside and kept: profiles, watches' intervals, trace files, the page's store. */
import { describe, expect, it, vi } from 'vitest';
import { createTempo } from '../src/client';
import { isDocument } from '../src/demo/summarizer/document';
import { shippedDocuments } from '../src/demo/summarizer/documents';
import { parseTrace } from '../src/lab/traces';
import { MAX_PROFILE } from '../src/server/profile';
import { Harness } from '../src/server/testing/harness';
import { leastBlock } from './chaos/blocks';

const lengths = (more: object) => JSON.stringify({ lengths: { version: 1, lengths: more } });
const stage = {
  label: 's',
  fanOut: 1,
  promptTokens: 1,
  outputTokens: 1,
  longestTokens: 1,
  gapMs: 0,
};
const graphs = (more: object) => JSON.stringify({ graphs: { version: 1, graphs: more } });
const one = [{ mean: 40, n: 100 }];

describe('a profile', () => {
  it.each([
    ['is too large', ' '.repeat(MAX_PROFILE + 1)],
    ['has a field of its own', JSON.stringify({ more: 1 })],
    ['has a key of too many parts', lengths({ 'a/b/7/8': one })],
    ['has a size that is none', lengths({ 'a/b/many': one })],
    ['has half a character for a label', lengths({ '%ED%A0%80/b': one })],
    ['has a long label', lengths({ ['a'.repeat(100)]: one })],
    [
      'has too many keys',
      lengths(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`a${i}`, one]))),
    ],
    ['has too many entries', lengths({ a: Array(2000).fill(one[0]) })],
    ['has a length beyond all', lengths({ a: [{ mean: 1e300, n: 1 }] })],
    ['has a length that is no number', lengths({ a: [{ mean: '4', n: 1 }] })],
    ['has a graph without an objective', graphs({ a: [{ stages: [stage] }] })],
    ['has a stage of no calls', graphs({ a: [{ sloMs: 9, stages: [{ ...stage, fanOut: 0 }] }] })],
    [
      'has a stage without a label',
      graphs({ a: [{ sloMs: 9, stages: [{ ...stage, label: '' }] }] }),
    ],
    ['is nested deep', '['.repeat(100_000)],
    ['is no text', { toString: 1 }],
  ])('that %s is refused', async (_, profile) => {
    const harness = await new Harness().loaded();
    const outcome = await harness.server.importProfile(profile as string);
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'invalid_request', param: 'profile' },
    });
    expect((await harness.ask({ max_tokens: 2 })).end.type).toBe('done');
  });

  it('as large as there may be holds no step up, and what is exported can be brought', async () => {
    const harness = await new Harness().loaded();
    const entries = Array.from({ length: 16 }, (_, i) => ({ mean: 10 * i + 0.123456, n: 8 }));
    const keys = Array.from({ length: 1000 }, (_, i) => [`app-${i}/stage/5`, entries]);
    const stages = Array(20).fill(stage);
    const kinds = Array.from({ length: 100 }, (_, i) => [`kind ${i}`, [{ sloMs: 900, stages }]]);
    const profile = JSON.stringify({
      ...JSON.parse(lengths(Object.fromEntries(keys))),
      ...JSON.parse(graphs(Object.fromEntries(kinds))),
    });
    expect(profile.length).toBeGreaterThan(MAX_PROFILE / 2);
    await harness.server.importProfile(lengths({ warm: one }));
    const running = harness.ask({ max_tokens: 200, ignore_eos: true });
    let ok = false;
    const block = await leastBlock(async () => {
      ok = (await harness.server.importProfile(profile)).ok;
    }, 50);
    expect(ok).toBe(true);
    expect(block).toBeLessThan(50);
    expect((await running).end.type).toBe('done');
    const exported = await harness.server.exportProfile();
    expect(exported.length).toBeLessThan(MAX_PROFILE);
    expect((await (await new Harness().loaded()).server.importProfile(exported)).ok).toBe(true);
  });

  it('may have the names of what every object has', async () => {
    const harness = await new Harness().loaded({ appWeights: { chat: 2 } });
    const names = ['__proto__', 'constructor', 'toString'];
    for (const app of names) {
      expect((await harness.ask({ max_tokens: 2 }, { app })).end.type).toBe('done');
    }
    const exported = await harness.server.exportProfile();
    for (const name of names) expect(exported).toContain(`"${name}/default/`);
    expect((await harness.server.importProfile(exported)).ok).toBe(true);
    expect(Object.keys((await harness.snapshot()).metrics.byApp)).toEqual(names);
  });
});

describe('a watch', () => {
  const wrong = [Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 31, '5', {}];
  it.each(wrong)('every %s ms is refused', async (interval) => {
    const harness = await new Harness().loaded();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    const watch = () => tempo.watch(() => {}, interval as number);
    expect(watch).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'intervalMs' }),
    );
    await expect(harness.server.watch(() => {}, interval as number)).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await tempo.dispose();
  });

  it('every so often as usual where nothing is said', async () => {
    const harness = new Harness();
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    const seen = vi.fn();
    const stop = tempo.watch(seen, null);
    await vi.waitFor(() => expect(seen).toHaveBeenCalled());
    stop();
    await tempo.dispose();
  });
});

describe('a trace', () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  it.each([
    ['t.json', `[[[${deep}]]]`],
    ['t.json', deep],
    ['t.jsonl', `{"timestamp":0,"input_length":${deep},"output_length":1,"hash_ids":[]}`],
    ['t.jsonl', `{"timestamp":${deep},"input_length":1,"output_length":1,"hash_ids":[]}`],
    ['t.json', `[[["${'x'.repeat(1e6)}"]]]`],
  ])('%s of what nobody meant is refused in a sentence', (file, text) => {
    const parse = () => parseTrace(text, file);
    expect(parse).toThrow(expect.objectContaining({ code: 'invalid_request', param: 'trace' }));
    expect(parse).toThrow(/^.{10,400}$/s);
  });
});

describe('the page’s store', () => {
  it('is used as far as it holds documents', () => {
    const documents = JSON.parse(JSON.stringify(shippedDocuments()));
    expect(documents.every(isDocument)).toBe(true);
    const [sound] = documents;
    for (const torn of [
      null,
      5,
      'text',
      [],
      {},
      { ...sound, levels: [] },
      { ...sound, levels: [[]] },
      { ...sound, levels: [[null]] },
      { ...sound, levels: [[{ text: 'a', state: 'lost' }]] },
      { ...sound, levels: [[{ text: 'a', state: 'done' }]] },
      { ...sound, levels: [[{ text: 5, state: 'waiting' }]] },
      { ...sound, title: {} },
      { ...sound, error: 'gone' },
      { ...sound, last: { summary: 5 } },
    ]) {
      expect(isDocument(torn)).toBe(false);
    }
  });
});
