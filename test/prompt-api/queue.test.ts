import { describe, expect, it } from 'vitest';
import { failure, LONG, lastWords, piecesOf, start, tick } from './setup';

/** Answers "long" at length, and everything else with itself. */
const echo = (request: Parameters<typeof lastWords>[0]) => ({
  content: lastWords(request) === 'long' ? LONG : lastWords(request),
});

const REASON = new Error('The user went away.');

describe('the prompts of one session', () => {
  it('are answered in the order in which they came', async () => {
    const { LanguageModel, requests } = start(echo);
    const session = await LanguageModel.create();
    const ended: string[] = [];
    const note = (name: string) => () => ended.push(name);
    await Promise.all([
      session.prompt('long').then(note('long')),
      session.append('appended').then(note('appended')),
      piecesOf(session.promptStreaming('streamed')).then(note('streamed')),
      session.prompt('last').then(note('last')),
    ]);
    expect(ended).toEqual(['long', 'appended', 'streamed', 'last']);
    expect(requests[2].messages.map(({ content }) => content)).toEqual([
      'long',
      LONG,
      'appended',
      'streamed',
      'streamed',
      'last',
    ]);
  });

  it('wait for no other session', async () => {
    const { LanguageModel, harness } = start(echo);
    const [one, other] = await Promise.all([LanguageModel.create(), LanguageModel.create()]);
    let isOver = false;
    const long = one.prompt('long').then(() => (isOver = true));
    while (harness.steps === 0) await tick(0);
    expect(await other.prompt('short')).toBe('short');
    expect(isOver).toBe(false);
    await long;
  });

  it('go on after one that failed', async () => {
    const { LanguageModel } = start(echo);
    const session = await LanguageModel.create();
    const bad = session.prompt([{ role: 'user', content: 'x', prefix: true }]);
    const good = session.prompt('good');
    expect(await failure(bad)).toMatchObject({ name: 'SyntaxError' });
    expect(await good).toBe('good');
  });
});

describe('an abort', () => {
  it('takes a prompt out of the queue at once, with its reason', async () => {
    const { LanguageModel, requests } = start(echo);
    const session = await LanguageModel.create();
    const controller = new AbortController();
    const { signal } = controller;
    let isOver = false;
    const long = session.prompt('long').then(() => (isOver = true));
    const queued = [session.prompt('prompt', { signal }), session.append('append', { signal })];
    const stream = session.promptStreaming('stream', { signal });
    const last = session.prompt('last');
    controller.abort(REASON);
    for (const aborted of [...queued, piecesOf(stream)])
      expect(await failure(aborted)).toBe(REASON);
    expect(isOver).toBe(false);
    await long;
    expect(await last).toBe('last');
    expect(requests).toHaveLength(2);
    expect(requests[1].messages.map(({ content }) => content)).toEqual(['long', LONG, 'last']);
  });

  it('of a prompt under way ends it, and takes the pair out of the session', async () => {
    const { LanguageModel, harness, requests } = start(echo);
    const session = await LanguageModel.create();
    await session.prompt('first');
    const before = session.contextUsage;
    const controller = new AbortController();
    const pieces: string[] = [];
    const stream = session.promptStreaming('long', { signal: controller.signal });
    const reading = (async () => {
      for await (const piece of stream) {
        pieces.push(piece);
        if (pieces.length === 3) controller.abort(REASON);
      }
    })();
    expect(await failure(reading)).toBe(REASON);
    expect(pieces.length).toBeLessThan(10);
    expect(session.contextUsage).toBe(before);
    await tick(30);
    expect(harness.device.sequences.size).toBe(0);
    await session.prompt('next');
    expect(requests.at(-1)?.messages.map(({ content }) => content)).toEqual([
      'first',
      'first',
      'next',
    ]);
  });

  it('of a prompt that is awaited whole does the same', async () => {
    const { LanguageModel, harness } = start(echo);
    const session = await LanguageModel.create();
    const controller = new AbortController();
    const answer = session.prompt('long', { signal: controller.signal });
    while (harness.steps < 5) await tick(0);
    controller.abort();
    expect(await failure(answer)).toMatchObject({ name: 'AbortError' });
    expect(session.contextUsage).toBe(0);
    expect(await session.prompt('next')).toBe('next');
  });

  it('by a timeout is a TimeoutError', async () => {
    const { LanguageModel, harness } = start(echo, { mishap: () => undefined });
    const session = await LanguageModel.create();
    harness.device.hangsUntil = tick(50).then(() => {});
    const answer = session.prompt('long', { signal: AbortSignal.timeout(10) });
    expect(await failure(answer)).toMatchObject({ name: 'TimeoutError' });
  });

  it('that came before the call ends it, and a stream throws', async () => {
    const { LanguageModel, requests } = start(echo);
    const session = await LanguageModel.create();
    const signal = AbortSignal.abort(REASON);
    expect(await failure(session.prompt('x', { signal }))).toBe(REASON);
    expect(await failure(session.append('x', { signal }))).toBe(REASON);
    expect(await failure(session.measureContextUsage('x', { signal }))).toBe(REASON);
    expect(await failure(session.clone({ signal }))).toBe(REASON);
    expect(() => session.promptStreaming('x', { signal })).toThrow(REASON);
    expect(requests).toEqual([]);
  });

  it('that comes after the answer does nothing', async () => {
    const { LanguageModel } = start(echo);
    const session = await LanguageModel.create();
    const controller = new AbortController();
    await session.prompt('first', { signal: controller.signal });
    const { contextUsage } = session;
    controller.abort();
    expect(session.contextUsage).toBe(contextUsage);
    expect(await session.prompt('next')).toBe('next');
  });
});

it('a stream that is cancelled ends its request, and the session goes on', async () => {
  const { LanguageModel, harness, requests } = start(echo);
  const session = await LanguageModel.create();
  for await (const _ of session.promptStreaming('long')) break;
  expect(await session.prompt('next')).toBe('next');
  expect(requests.at(-1)?.messages.map(({ content }) => content)).toEqual(['next']);
  expect(harness.device.sequences.size).toBe(0);
});

describe('a session that is destroyed', () => {
  it('ends what is open and what comes after with an AbortError', async () => {
    const { LanguageModel, harness } = start(echo);
    const session = await LanguageModel.create();
    const streaming = piecesOf(session.promptStreaming('long'));
    const open = [
      streaming,
      session.prompt('queued'),
      session.append('queued'),
      session.clone(),
      session.measureContextUsage('measured'),
    ];
    const outcomes = open.map(failure);
    while (harness.steps < 5) await tick(0);
    expect(session.destroy()).toBeUndefined();
    const late = [
      session.prompt('late'),
      session.append('late'),
      session.clone(),
      session.measureContextUsage('late'),
    ];
    expect(await outcomes.at(-1)).toBeUndefined(); // it was measured before
    for (const outcome of [...outcomes.slice(0, -1), ...late.map(failure)]) {
      expect(await outcome).toBeInstanceOf(DOMException);
      expect(await outcome).toMatchObject({ name: 'AbortError' });
    }
    expect(() => session.promptStreaming('late')).toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    await tick(30);
    expect(harness.device.sequences.size).toBe(0);
    session.destroy();
  });

  it('leaves its clones and the other sessions alone', async () => {
    const { LanguageModel } = start(echo);
    const session = await LanguageModel.create();
    const [clone, other] = [await session.clone(), await LanguageModel.create()];
    session.destroy();
    expect(await clone.prompt('clone')).toBe('clone');
    expect(await other.prompt('other')).toBe('other');
  });

  it('by the signal that it was created with, ends with its reason', async () => {
    const { LanguageModel, harness } = start(echo);
    const controller = new AbortController();
    const session = await LanguageModel.create({ signal: controller.signal });
    const outcome = failure(session.prompt('long'));
    while (harness.steps < 5) await tick(0);
    controller.abort(REASON);
    expect(await outcome).toBe(REASON);
    expect(await failure(session.prompt('late'))).toBe(REASON);
  });
});
