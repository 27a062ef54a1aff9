import { describe, expect, it } from 'vitest';
import { createTempo, TempoError } from '../../src/client';
import { picture } from '../../src/engine/testing/png';
import {
  createLanguageModel,
  type LanguageModelMessage,
  type LanguageModelMessageContent,
} from '../../src/prompt-api';
import { Harness } from '../../src/server/testing/harness';
import { failure, start } from './setup';

/** Images as they are where there is no browser: files. What browsers draw is tested in one (e2e). */

const SEEING = { expectedInputs: [{ type: 'text' as const }, { type: 'image' as const }] };
/** A phone's screen: 1,357 tokens. */
const bytes = picture(1, 9, 16);

const text = (value: string): LanguageModelMessageContent => ({ type: 'text', value });
const image = (value: unknown): LanguageModelMessageContent => ({ type: 'image', value });
const shown = (...content: LanguageModelMessageContent[]): LanguageModelMessage[] => [
  { role: 'user', content },
];

const said = (words: string) => ({ type: 'text', text: words });

/** What a request's last message holds, with images as their bytes. */
async function lastParts(messages: readonly { content?: unknown }[]): Promise<unknown> {
  const parts = messages.at(-1)?.content as { image_url?: { url: Blob } }[];
  return Promise.all(
    parts.map(async (part) =>
      part.image_url ? new Uint8Array(await part.image_url.url.arrayBuffer()) : part,
    ),
  );
}

describe('a prompt with images', () => {
  const inBuffer = Uint8Array.from([9, 9, ...bytes, 9]);
  it.each([
    ['a Blob', new Blob([bytes])],
    ['a File', new File([bytes], 'a.png', { type: 'image/png' })],
    ['an ArrayBuffer', bytes.buffer],
    ['bytes of a buffer', inBuffer.subarray(2, 2 + bytes.length)],
    ['a DataView', new DataView(inBuffer.buffer, 2, bytes.length)],
    ['bytes that threads share', new Uint8Array(new SharedArrayBuffer(bytes.length))],
  ])('as %s is answered, and counted', async (name, value) => {
    if (name.includes('share')) (value as Uint8Array).set(bytes);
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create(SEEING);
    const prompt = shown(text('What '), text('is it?'), image(value), text('Be brief.'));
    const measured = await session.measureContextUsage(prompt);
    expect(measured).toBeGreaterThan(1357);
    expect(await session.prompt(prompt)).toBe('Yes.');
    expect(await lastParts(requests[0].messages)).toEqual([
      said('What is it?'),
      bytes,
      said('Be brief.'),
    ]);
    expect(session.contextUsage).toBeGreaterThan(1357);
  });

  it('keeps them for what is asked next, in a clone too', async () => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create(SEEING);
    await session.append(shown(image(new Blob([bytes]))));
    const clone = await session.clone();
    await clone.prompt('What was it?');
    expect(await lastParts(requests[0].messages.slice(0, 1))).toEqual([bytes]);
    expect(clone.contextUsage).toBeGreaterThan(1357);
  });

  it('shows them as they were when it was called', async () => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create(SEEING);
    const changing = bytes.slice();
    const answer = session.prompt(shown(text('See?'), image(changing)));
    changing.fill(0);
    expect(await answer).toBe('Yes.');
    expect(await lastParts(requests[0].messages)).toEqual([said('See?'), bytes]);
  });

  it('is told of its constraint behind them', async () => {
    const { LanguageModel, requests } = start(() => ({ content: '7' }));
    const session = await LanguageModel.create(SEEING);
    const options = { responseConstraint: /[0-9]/ };
    expect(await session.prompt(shown(text('How many?'), image(bytes)), options)).toBe('7');
    expect(await lastParts(requests[0].messages)).toEqual([
      said('How many?'),
      bytes,
      said(expect.stringContaining('regular expression') as unknown as string),
    ]);
  });

  it('may be among the first of a session', async () => {
    const { LanguageModel } = start();
    const initialPrompts = shown(text('Remember this.'), image(bytes));
    const session = await LanguageModel.create({ ...SEEING, initialPrompts });
    expect(session.contextUsage).toBeGreaterThan(1357);
    const outcome = await failure(
      LanguageModel.create({ ...SEEING, initialPrompts: shown(...Array(5).fill(image(bytes))) }),
    );
    expect(outcome).toMatchObject({ name: 'QuotaExceededError' });
  });

  it.each<[string, LanguageModelMessage[], string]>([
    ['an image that is a text', shown(image('https://example.com/a.png')), 'TypeError'],
    ['an image that is a number', shown(image(7)), 'TypeError'],
    ['an image that is an object', shown(image({ width: 1, height: 1 })), 'TypeError'],
    ['an image that is no file of one', shown(image(new Blob(['hello']))), 'TypeError'],
    ['an image that is empty', shown(image(new Blob())), 'TypeError'],
    [
      'an image from the assistant',
      [...shown(text('Draw.')), { role: 'assistant', content: [image(bytes)] }],
      'NotSupportedError',
    ],
    [
      'an image from the system',
      [{ role: 'system', content: [image(bytes)] }, ...shown(text('See?'))],
      'NotSupportedError',
    ],
  ])('is refused: %s', async (_, prompt, name) => {
    const { LanguageModel, requests } = start();
    const session = await LanguageModel.create(SEEING);
    for (const refused of [
      session.prompt(prompt),
      session.append(prompt),
      session.measureContextUsage(prompt),
    ]) {
      expect(await failure(refused)).toMatchObject({ name });
    }
    expect(session.contextUsage).toBe(0);
    expect(await session.prompt('And now?')).toBe('Yes.');
    expect(requests.at(-1)?.messages).toHaveLength(1);
  });

  it('is refused by a session that was not told of images, with what to do', async () => {
    const { LanguageModel } = start();
    const session = await LanguageModel.create();
    const refusal = await failure(session.prompt(shown(image(bytes))));
    expect(refusal).toMatchObject({
      name: 'NotSupportedError',
      message: expect.stringContaining("expectedInputs: [{ type: 'image' }]"),
    });
  });
});

describe('a model that reads text only', () => {
  it('is not available for images, and says why', async () => {
    const { LanguageModel, tempo } = start(undefined, { textOnly: true });
    await tempo.ready;
    expect(await LanguageModel.availability(SEEING)).toBe('unavailable');
    expect(await LanguageModel.availability()).toBe('available');
    expect(await failure(LanguageModel.create(SEEING))).toMatchObject({
      name: 'NotSupportedError',
      message: expect.stringContaining('takes no images'),
    });
    expect(await (await LanguageModel.create()).prompt('Hello')).toBe('Yes.');
  });

  it('is found out once it is loaded', async () => {
    const { LanguageModel } = start(undefined, { textOnly: true });
    expect(await failure(LanguageModel.create(SEEING))).toMatchObject({
      name: 'NotSupportedError',
    });
  });

  it('is known by WebLLM’s list before it is loaded, and then not loaded for it', async () => {
    const { server, states } = new Harness();
    const of = (model: string) => createLanguageModel({ model, host: server });
    const reading = of('Qwen3-0.6B-q4f16_1-MLC');
    const seeing = of('Phi-3.5-vision-instruct-q4f16_1-MLC');
    expect(await reading.availability()).toBe('downloadable');
    expect(await reading.availability(SEEING)).toBe('unavailable');
    expect(await seeing.availability(SEEING)).toBe('downloadable');
    // That is told by a file of its own.
    const untold = of('gemma-4-E2B-it-q4f16_1-MLC');
    expect(await untold.availability(SEEING)).toBe('downloadable');
    expect(await failure(reading.create(SEEING))).toMatchObject({ name: 'NotSupportedError' });
    expect(states.every(({ phase }) => phase === 'idle')).toBe(true);
    // Here no such model can be loaded, which is what is told then.
    const cause = (await failure(seeing.create(SEEING))) as { cause: TempoError };
    expect(cause.cause).toBeInstanceOf(TempoError);
    expect(states.some(({ phase }) => phase === 'loading' || phase === 'failed')).toBe(true);
  });

  it('says so in the words of the platform where one took its place', async () => {
    const options = { textOnly: false };
    const harness = new Harness(options);
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    const session = await createLanguageModel(tempo).create(SEEING);
    options.textOnly = true;
    await tempo.load({ engine: 'simulated' });
    const refusal = await failure(session.prompt(shown(image(bytes))));
    expect(refusal).toMatchObject({ name: 'NotSupportedError', cause: { code: 'unsupported' } });
    await tempo.dispose();
  });
});
