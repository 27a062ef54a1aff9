import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { dataUrl, installDecoder, picture } from '../src/engine/testing/png';
import type { StandInOptions } from '../src/engine/testing/stand-in';
import { ImageRows } from '../src/engine/webllm/image-rows';
import type { TvmFunction } from '../src/engine/webllm/internals';
import type { ChatMessage } from '../src/server/chat-types';
import { type Answered, VisionService } from './vision-service';

/** Images in the server, on the WebLLM engine with a stand-in for WebLLM. */
let decoded = () => 0;
let uninstall = () => {};
beforeAll(() => {
  ({ decoded, uninstall } = installDecoder());
});
afterAll(() => uninstall());

const services: VisionService[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const { server, world } of services.splice(0)) {
    await server.dispose();
    expect(world.corruptions).toEqual([]);
    expect(world.objects).toBe(0);
  }
});

const METADATA = { context_window_size: 4096, prefill_chunk_size: 2048 };
const VISION: StandInOptions = { vision: 'phi3_v', metadata: METADATA };
const SERIAL: StandInOptions = { ...VISION, metadata: { ...METADATA, max_batch_size: 1 } };
const WHOLE: StandInOptions = {
  ...SERIAL,
  metadata: { ...SERIAL.metadata, prefill_chunk_size: 4096 },
};

async function serve(
  options: StandInOptions = VISION,
  more?: Parameters<typeof VisionService.of>[1],
): Promise<VisionService> {
  const service = await VisionService.of(options, more);
  services.push(service);
  return service;
}

/** 9 × 16 pixels, as a phone's screen: 1,357 tokens. */
const portrait = (seed: number) => picture(seed, 9, 16);

const shown = (bytes: Uint8Array, words = 'What is it?'): ChatMessage[] => [
  {
    role: 'user',
    content: [
      { type: 'image_url', image_url: { url: dataUrl(bytes) } },
      { type: 'text', text: words },
    ],
  },
];
const said = (content: string): ChatMessage[] => [{ role: 'user', content }];

const QUESTIONS: ChatMessage[][] = [
  shown(portrait(1)),
  said('And without any?'),
  shown(portrait(2)),
  shown(picture(3)),
  shown(portrait(1), 'The same, but asked otherwise.'),
];

const texts = (answers: readonly Answered[]) => answers.map(({ text }) => text);

async function alone(options?: StandInOptions): Promise<string[]> {
  const answers: string[] = [];
  for (const question of QUESTIONS) {
    const service = await serve(options);
    answers.push((await service.ask(question)).text);
  }
  return answers;
}

describe('Requests with images', () => {
  it('are answered side by side as each is alone, in chunks and in batches', async () => {
    const expected = await alone();
    expect(new Set(expected).size).toBe(QUESTIONS.length);
    const service = await serve();
    expect(service.state).toMatchObject({ engine: { mode: 'batched' }, limits: { images: true } });
    const answers = await Promise.all(QUESTIONS.map((question) => service.ask(question)));
    expect(texts(answers)).toEqual(expected);
    expect(answers.map(({ usage }) => usage.prompt_tokens > 1000)).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
  });

  it('are served in turn where the library takes one at a time, with the same answers', async () => {
    const expected = await alone();
    const service = await serve(WHOLE);
    expect(service.state).toMatchObject({ engine: { mode: 'serial' }, limits: { images: true } });
    const { engine } = service.state as Extract<typeof service.state, { phase: 'ready' }>;
    expect(engine.notes.join(' ')).toMatch(/one at a time.*Images/);
    const answers = await Promise.all(QUESTIONS.map((question) => service.ask(question)));
    expect(texts(answers)).toEqual(expected);
  });

  it('are served in turn where the runtime cannot put images beside texts', async () => {
    const lacks = ['runtime.TVMTensorCreateView'];
    const whole = { ...VISION, metadata: { ...METADATA, prefill_chunk_size: 4096 }, lacks };
    const service = await serve(whole);
    expect(service.state).toMatchObject({ engine: { mode: 'serial' }, limits: { images: true } });
    expect((await service.ask(QUESTIONS[0])).text).toBe((await alone())[0]);
  });

  it('are refused with the field where a library computes no image whole and must', async () => {
    const service = await serve(SERIAL);
    await expect(service.ask(shown(picture(3, 4, 4)))).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'messages[0].content[0].image_url.url',
      message: expect.stringContaining('takes 2509 tokens, and this library computes 2048 at once'),
    });
    expect((await service.ask(shown(portrait(1)))).text).toBe((await alone())[0]);
  });

  it('share an image that was computed, and embed a picture once', async () => {
    const service = await serve();
    const first = await service.ask(shown(portrait(1), 'First of all'));
    expect(first.usage.prompt_tokens_details.cached_tokens).toBe(0);
    const [question] = shown(portrait(1), 'First of all');
    const { usage } = await service.ask([
      question,
      { role: 'assistant', content: first.text },
      { role: 'user', content: 'And then?' },
    ]);
    expect(usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(1357);
    const other = await service.ask(shown(portrait(2), 'First of all'));
    expect(other.usage.prompt_tokens_details.cached_tokens).toBeLessThan(100);
    expect(service.world.images).toHaveLength(2);
  });

  it('find their history computed where they are served in turn', async () => {
    const service = await serve(WHOLE);
    await service.ask(shown(portrait(1)), { max_tokens: 1 });
    const { usage } = await service.ask([
      ...shown(portrait(1)),
      { role: 'assistant', content: 'It is one.' },
      { role: 'user', content: 'And then?' },
    ]);
    expect(usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(1357);
    expect(service.world.images).toHaveLength(1);
  });

  it('give several choices of one prompt, which is computed once', async () => {
    const service = await serve();
    const before = service.world.fed.flat().length;
    const { usage } = await service.ask(shown(portrait(1)), { n: 3, max_tokens: 4 });
    expect(usage.completion_tokens).toBe(12);
    expect(service.world.fed.flat().length - before).toBeLessThan(1357 + 300);
    expect(service.world.images).toHaveLength(1);
  });

  it('decode a picture once for all the turns that bring it', async () => {
    const service = await serve();
    const before = decoded();
    await service.ask(shown(portrait(40)));
    await service.ask(shown(portrait(40), 'Once more.'));
    expect(decoded() - before).toBe(1);
  });

  it('take a Blob, and count as many tokens for it', async () => {
    const { server } = await serve();
    const tokens = async (url: string | Blob) => {
      const content = [{ type: 'image_url' as const, image_url: { url } }];
      const outcome = await server.countTokens({ messages: [{ role: 'user', content }] });
      return outcome.ok ? outcome.value : outcome.error.message;
    };
    const ofBlob = await tokens(new Blob([portrait(1)]));
    expect(ofBlob).toBeGreaterThan(1357);
    expect(await tokens(dataUrl(portrait(1)))).toBe(ofBlob);
  });

  it('see the pixels in their order, white where the picture is transparent', async () => {
    const { png } = await import('../src/engine/testing/png');
    const service = await serve();
    const bytes = png(2, 2, (x, y) => [10 * x, 20 * y, 30, x === 1 && y === 1 ? 0 : 255]);
    await service.ask(shown(bytes), { max_tokens: 1 });
    expect(service.world.images).toEqual([
      {
        shape: [1, 2, 2, 3],
        dtype: 'uint32',
        pixels: [0, 0, 30, 10, 0, 30, 0, 20, 30, 255, 255, 255],
        resize: [1344, 1344],
        crop: [4, 4],
      },
    ]);
  });
});

describe('A lost device', () => {
  for (const [way, options] of [
    ['in batches', VISION],
    ['in turn', WHOLE],
  ] as const) {
    it(`brings the images back: every request goes on from its tokens, ${way}`, async () => {
      const expected = await alone();
      const service = await serve(options);
      let pieces = 0;
      service.onText = () => {
        if (++pieces === 20) service.world.loseDevice();
      };
      const answers = await Promise.all(QUESTIONS.map((question) => service.ask(question)));
      expect(pieces).toBeGreaterThan(20);
      expect(texts(answers)).toEqual(expected);
      expect(service.state).toMatchObject({ phase: 'ready', limits: { images: true } });
    });
  }

  it('while an image is embedded is no more than that', async () => {
    const expected = await alone();
    const service = await serve();
    const { embed } = ImageRows.prototype;
    let times = 0;
    vi.spyOn(ImageRows.prototype, 'embed').mockImplementation(function (this: ImageRows, pixels) {
      embed.call(this, pixels);
      if (++times === 2) service.world.loseDevice();
    });
    const answers = await Promise.all(QUESTIONS.map((question) => service.ask(question)));
    expect(texts(answers)).toEqual(expected);
    expect(times).toBeGreaterThan(3);
  });
});

describe('An image that fails in the engine', () => {
  it('ends its own request alone', async () => {
    const expected = await alone();
    const service = await serve();
    const { embed } = ImageRows.prototype;
    vi.spyOn(ImageRows.prototype, 'embed').mockImplementation(function (this: ImageRows, pixels) {
      if (pixels.width === 6) service.world.options.wrong = { images: true };
      try {
        embed.call(this, pixels);
      } finally {
        service.world.options.wrong = undefined;
      }
    });
    const outcomes = await Promise.allSettled(QUESTIONS.map((question) => service.ask(question)));
    const [first, second, third, failed, last] = outcomes.map((one) =>
      one.status === 'fulfilled' ? one.value.text : one.reason,
    );
    expect([first, second, third, last]).toEqual(expected.filter((_, i) => i !== 3));
    expect(failed).toMatchObject({
      code: 'engine_failed',
      message: expect.stringContaining('makes 1920 rows of an image of 6 × 4 pixels, not 1921'),
    });
  });
});

describe('A model', () => {
  it('that sees otherwise than WebLLM knows takes text only, and its state says so', async () => {
    const service = await serve({ ...VISION, vision: 'gemma3_v' });
    expect(service.state).toMatchObject({ engine: { mode: 'batched' }, limits: { images: false } });
    const { engine } = service.state as Extract<typeof service.state, { phase: 'ready' }>;
    expect(engine.notes.join(' ')).toContain(
      'does not know how to call it for a model of type gemma3_v',
    );
    await expect(service.ask(shown(picture(1)))).rejects.toMatchObject({
      code: 'unsupported',
      param: 'messages[0].content[0]',
    });
  });

  it('without a function for images takes text only', async () => {
    const service = await serve({ metadata: METADATA });
    expect(service.state).toMatchObject({ limits: { images: false } });
    const refusal = service.ask(shown(picture(1)));
    await expect(refusal).rejects.toMatchObject({ code: 'unsupported' });
    await expect(refusal).rejects.toThrow(/reads text only; messages\[0\]\.content\[0\]/);
  });
});

describe('Rows of images on the GPU', () => {
  it('are kept for 64 MiB, the latest of them, and longer while they are needed', async () => {
    const { world } = await serve();
    const { engine, pipeline } = await world.load();
    // As wide as the real model's rows of 16 bits are, 30 MiB an image.
    const { getFunction } = pipeline.vm;
    const wide = () => pipeline.tvm.empty([2509, 3072], 'float32', pipeline.device);
    Reflect.set(pipeline.vm, 'getFunction', (name: string) => {
      const { dispose, handle } = getFunction(name) as TvmFunction & { handle: unknown };
      return Object.assign(wide, { dispose, handle });
    });
    const rows = new ImageRows(pipeline);
    const pictures = Array.from({ length: 4 }, () => ({
      width: 1,
      height: 1,
      rgb: new Uint8Array(3),
    }));
    for (const pixels of pictures) rows.embed(pixels);
    const kept = () => pictures.map((pixels) => rows.has(pixels));
    rows.trim(new Set([pictures[0]]));
    expect(kept()).toEqual([true, false, true, true]);
    rows.trim(new Set());
    expect(kept()).toEqual([false, false, true, true]);
    rows.dispose();
    expect(kept()).toEqual([false, false, false, false]);
    await engine.unload();
  });
});
