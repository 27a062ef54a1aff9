import { describe, expect, it } from 'vitest';
import { QuotaExceededError } from '../../src/prompt-api/errors';
import { failure, LONG, lastWords, start } from './setup';

/** A small window, 300 tokens of which 75 are kept free for an answer. */
const SMALL = { profile: { contextWindow: 300, totalPages: 64, pageSize: 16 } };
const words = (count: number) => 'word '.repeat(count).trim();

describe('the context', () => {
  it('is empty at first, and as large as the model’s less the room for an answer', async () => {
    const { LanguageModel, harness } = start();
    const session = await LanguageModel.create();
    expect(session.contextUsage).toBe(0);
    expect(session.contextWindow).toBe(harness.device.capacity.contextWindow - 1024);
    const small = await start(undefined, SMALL).LanguageModel.create();
    expect(small.contextWindow).toBe(225);
    expect([small.inputUsage, small.inputQuota]).toEqual([0, 225]);
  });

  it('holds the initial prompts, as they are measured', async () => {
    const { LanguageModel } = start();
    const initialPrompts = [
      { role: 'system' as const, content: 'The word of the day is regurgitation.' },
      { role: 'user' as const, content: 'Hello' },
    ];
    const session = await LanguageModel.create({ initialPrompts });
    expect(session.contextUsage).toBeGreaterThan(10);
    expect(session.contextUsage).toBe(await session.measureContextUsage(initialPrompts));
  });

  it('grows by what a prompt measures, and by its answer', async () => {
    const { LanguageModel } = start(() => ({ content: 'An answer of some words.' }));
    const session = await LanguageModel.create();
    const measured = await session.measureContextUsage('What is it?');
    expect(measured).toBeGreaterThan(0);
    await session.append('What is it?');
    expect(session.contextUsage).toBe(measured);

    const more = await session.measureContextUsage('And what is that?');
    const answer = await session.measureContextUsage([
      { role: 'user', content: 'And what is that?' },
      { role: 'assistant', content: 'An answer of some words.' },
    ]);
    expect(answer).toBeGreaterThan(more);
    await session.prompt('And what is that?');
    expect(session.contextUsage).toBe(measured + answer);
    expect(session.inputUsage).toBe(session.contextUsage);
    expect(await session.measureInputUsage('x')).toBe(await session.measureContextUsage('x'));
  });

  it('is what the server counts', async () => {
    const { LanguageModel, harness } = start();
    const session = await LanguageModel.create();
    const measured = await session.measureContextUsage('Hello');
    await session.prompt('Hello');
    const [{ given }] = [...harness.device.tokens.values()];
    expect(given).toHaveLength(measured);
  });

  it('takes a constraint that the model reads, and none that it does not', async () => {
    const { LanguageModel } = start();
    const session = await LanguageModel.create();
    const plain = await session.measureContextUsage('Rate it.');
    const responseConstraint = { type: 'object', properties: { rating: { type: 'number' } } };
    expect(await session.measureContextUsage('Rate it.', { responseConstraint })).toBeGreaterThan(
      plain + 10,
    );
    const omitted = { responseConstraint, omitResponseConstraintInput: true };
    expect(await session.measureContextUsage('Rate it.', omitted)).toBe(plain);
  });

  it('is measured while a prompt is under way', async () => {
    const { LanguageModel } = start(() => ({ content: LONG }));
    const session = await LanguageModel.create();
    let isOver = false;
    const answer = session.prompt('Go on.').then(() => (isOver = true));
    expect(await session.measureContextUsage('Hello')).toBeGreaterThan(0);
    expect(isOver).toBe(false);
    await answer;
  });
});

describe('a context that overflows', () => {
  it('loses its oldest pairs, as few as will do, never what it began with, and says so', async () => {
    const { LanguageModel, requests } = start(
      (request) => ({ content: `answer to ${lastWords(request).split(' ')[0]}` }),
      SMALL,
    );
    const session = await LanguageModel.create({
      initialPrompts: [
        { role: 'system', content: 'Stay.' },
        { role: 'user', content: 'Stay, too.' },
      ],
    });
    const events: string[] = [];
    session.addEventListener('contextoverflow', (event) => events.push(event.type));
    session.oncontextoverflow = function (event) {
      events.push(`on${event.type} ${this === session}`);
    };
    session.onquotaoverflow = (event) => events.push(`on${event.type}`);
    for (const name of ['one', 'two', 'three']) await session.prompt(`${name} ${words(40)}`);
    expect(events).toEqual([]);
    const usage = session.contextUsage;
    const measured = await session.measureContextUsage(`four ${words(60)}`);
    expect(measured).toBeGreaterThan(session.contextWindow - usage);

    await session.prompt(`four ${words(60)}`);
    expect(events).toEqual(['contextoverflow', 'oncontextoverflow true', 'onquotaoverflow']);
    const kept = requests[3].messages.map(({ content }) => String(content).split(' word')[0]);
    expect(kept).toEqual([
      'Stay.',
      'Stay, too.',
      'two',
      'answer to two',
      'three',
      'answer to three',
      'four',
    ]);
    expect(session.contextUsage).toBeLessThanOrEqual(session.contextWindow);
    session.oncontextoverflow = null;
    expect(session.oncontextoverflow).toBeNull();
  });

  it('loses what it must for what is appended', async () => {
    const { LanguageModel, requests } = start(undefined, SMALL);
    const session = await LanguageModel.create();
    let overflows = 0;
    session.addEventListener('contextoverflow', () => overflows++);
    await session.append(`first ${words(90)}`);
    await session.append(`second ${words(90)}`);
    expect(overflows).toBe(0);
    await session.append(`third ${words(90)}`);
    expect(overflows).toBe(1);
    await session.prompt('Which?');
    const first = String(requests[0].messages[0].content);
    expect(first).toMatch(/^second/);
  });

  it('loses the oldest where the answer takes the room that was left for it', async () => {
    const { LanguageModel, requests } = start(
      (_, round) => ({
        content: round === 1 ? words(60) : 'Short.',
      }),
      SMALL,
    );
    const session = await LanguageModel.create();
    let overflows = 0;
    session.addEventListener('contextoverflow', () => overflows++);
    await session.prompt(`first ${words(80)}`);
    await session.prompt(`second ${words(80)}`);
    expect(overflows).toBe(1);
    expect(session.contextUsage).toBeLessThanOrEqual(session.contextWindow);
    await session.prompt('third');
    expect(String(requests[2].messages[0].content)).toMatch(/^second/);
  });

  it('does not get back what it lost where the prompt is aborted', async () => {
    const { LanguageModel, requests } = start(
      (_, round) => ({ content: round === 2 ? words(70) : 'Short.' }),
      SMALL,
    );
    const session = await LanguageModel.create();
    await session.prompt(`first ${words(90)}`);
    await session.prompt(`second ${words(90)}`);
    const controller = new AbortController();
    session.oncontextoverflow = () => controller.abort();
    const { signal } = controller;
    const third = session.prompt(`third ${words(90)}`, { signal });
    expect(await failure(third)).toMatchObject({ name: 'AbortError' });
    await session.prompt('fourth');
    const kept = requests.at(-1)?.messages.map(({ content }) => String(content).split(' ')[0]);
    expect(kept).toEqual(['second', 'Short.', 'fourth']);
  });

  it('is refused, with the numbers, where nothing that is dropped would do', async () => {
    const { LanguageModel } = start(undefined, SMALL);
    const session = await LanguageModel.create();
    let overflows = 0;
    session.addEventListener('contextoverflow', () => overflows++);
    const requested = await session.measureContextUsage(words(400));
    for (const call of [
      session.prompt(words(400)),
      session.append(words(400)),
      (async () => {
        for await (const _ of session.promptStreaming(words(400)));
      })(),
    ]) {
      const error = await failure(call);
      expect(error).toBeInstanceOf(DOMException);
      expect(error).toMatchObject({
        name: 'QuotaExceededError',
        requested,
        quota: session.contextWindow,
      });
    }
    await session.prompt('Hello');
    const before = session.contextUsage;
    expect(await failure(session.prompt(words(400)))).toMatchObject({ name: 'QuotaExceededError' });
    expect([overflows, session.contextUsage]).toEqual([0, before]);
  });

  it('is refused at creation, where the initial prompts or the tools alone do not fit', async () => {
    const { LanguageModel } = start(undefined, SMALL);
    const initial = LanguageModel.create({
      initialPrompts: [{ role: 'user', content: words(400) }],
    });
    expect(await failure(initial)).toMatchObject({ name: 'QuotaExceededError', quota: 225 });
    const tool = {
      name: 'wordy',
      description: words(400),
      inputSchema: { type: 'object' },
      execute: async () => '',
    };
    expect(await failure(LanguageModel.create({ tools: [tool] }))).toMatchObject({
      name: 'QuotaExceededError',
    });
  });

  it('is told even where it is so far beyond that nobody counts', async () => {
    const { LanguageModel } = start();
    const session = await LanguageModel.create();
    const error = await failure(session.append(words(80_000)));
    expect(error).toBeInstanceOf(QuotaExceededError);
    expect(error).toMatchObject({
      name: 'QuotaExceededError',
      requested: null,
      quota: null,
      cause: { code: 'context_length_exceeded' },
    });
  });

  it('by an answer that fills the model’s window is an error, not half an answer', async () => {
    const { LanguageModel } = start(() => ({ content: words(400) }), SMALL);
    const session = await LanguageModel.create();
    expect(await failure(session.prompt('Go on.'))).toMatchObject({ name: 'UnknownError' });
    const constrained = session.prompt('Go on.', { responseConstraint: /(word ?)*/ });
    expect(await failure(constrained)).toMatchObject({ name: 'SyntaxError' });
    expect(session.contextUsage).toBe(0);
  });
});

describe('a clone', () => {
  it('goes on from where the session is, and each by itself', async () => {
    const { LanguageModel, requests } = start((request) => ({
      content: `To ${lastWords(request)}`,
    }));
    const session = await LanguageModel.create({
      initialPrompts: [{ role: 'system', content: 'Be brief.' }],
      samplingMode: 'creative',
    });
    await session.prompt('one');
    const clone = await session.clone();
    expect(clone).toBeInstanceOf(LanguageModel);
    expect(clone).not.toBe(session);
    expect(clone.contextUsage).toBe(session.contextUsage);
    expect(clone.contextWindow).toBe(session.contextWindow);
    expect(clone.samplingMode).toBe('creative');
    await Promise.all([session.prompt('two'), clone.prompt('three')]);
    const heard = requests.slice(1).map(({ messages }) => messages.map(({ content }) => content));
    const shared = ['Be brief.', 'one', 'To one'];
    expect(heard).toContainEqual([...shared, 'two']);
    expect(heard).toContainEqual([...shared, 'three']);
    clone.destroy();
    expect(await session.prompt('four')).toBe('To four');
  });

  it('is made once what was asked before is answered', async () => {
    const { LanguageModel } = start((request) => ({ content: lastWords(request) }));
    const session = await LanguageModel.create();
    const answer = session.prompt('one');
    const clone = await session.clone();
    await answer;
    expect(clone.contextUsage).toBe(session.contextUsage);
    expect(clone.contextUsage).toBeGreaterThan(0);
  });

  it('hears of its own overflow alone', async () => {
    const { LanguageModel } = start(undefined, SMALL);
    const session = await LanguageModel.create();
    await session.append(words(100));
    await session.append(words(80));
    const clone = await session.clone();
    const heard: string[] = [];
    session.oncontextoverflow = () => heard.push('session');
    clone.oncontextoverflow = () => heard.push('clone');
    await clone.prompt(words(80));
    expect(heard).toEqual(['clone']);
  });

  it('shares what was computed: clones’ prompts find the session’s prefix in the cache', async () => {
    const { LanguageModel, harness } = start(() => ({ content: 'Short.' }));
    const session = await LanguageModel.create({
      initialPrompts: [{ role: 'system', content: words(600) }],
    });
    await session.prompt('Hello');
    const before = (await harness.snapshot()).prefix;
    const clones = await Promise.all([session.clone(), session.clone(), session.clone()]);
    await Promise.all(clones.map((clone, i) => clone.prompt(`Question ${i}`)));
    const after = (await harness.snapshot()).prefix;
    if (before === undefined || after === undefined) throw new Error('No prefix metrics.');
    expect(after.hits - before.hits).toBe(3);
    const found = after.cachedTokens - before.cachedTokens;
    expect(found).toBeGreaterThan(0.9 * (after.tokens - before.tokens));
    expect(found).toBeGreaterThanOrEqual(3 * 600);
  });
});
