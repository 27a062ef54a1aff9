/** Images that requests bring, on the simulated engine in Node, with a server on this machine. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { dataUrl, installDecoder, picture, png } from '../../engine/testing/png';
import type { TempoErrorJson } from '../../scheduler';
import type { ChatMessage } from '../chat-types';
import { codeOf, Harness } from '../testing/harness';
import { Images } from '.';

const GOOD = { simulate: { content: 'Everyone else goes on unharmed, word for word.' } };
const FIELD = 'messages[0].content[1].image_url.url';

/** A phone's screen: 1,357 tokens. */
const portrait = (seed: number) => picture(seed, 9, 16);

const shown = (...urls: (string | Blob)[]): { messages: ChatMessage[] } => ({
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is it?' },
        ...urls.map((url) => ({ type: 'image_url' as const, image_url: { url } })),
      ],
    },
  ],
});

/** A PNG that says to be of this size, and has no more to it. */
const sized = (width: number, height: number) => {
  const bytes = png(1, 1, () => [0, 0, 0, 255]);
  new DataView(bytes.buffer).setUint32(16, width);
  new DataView(bytes.buffer).setUint32(20, height);
  return bytes;
};

const MEBIBYTE = 2 ** 20;

/** What the server on this machine answers, by path. */
class Host {
  readonly requests: string[] = [];
  /** Paths whose answers were cut off by the other end. */
  readonly cut: string[] = [];
  /** Lets go of a picture that is held back. */
  release = () => {};
  origin = '';
  readonly #server: Server = createServer((request, response) => {
    const path = request.url ?? '/';
    this.requests.push(path);
    response.on('close', () => {
      if (!response.writableFinished) this.cut.push(path);
    });
    this.#answer(path, response);
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('There is no port.');
    this.origin = `http://127.0.0.1:${address.port}`;
    return this;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(path: string, response: ServerResponse): unknown {
    const [, name, seed = '1'] = path.split('/');
    switch (name) {
      case 'picture':
        return response.end(portrait(Number(seed)));
      case 'moved':
        return response.writeHead(302, { Location: '/picture' }).end();
      case 'page':
        return response.end('<!DOCTYPE html><title>Not found</title>');
      case 'large':
        return response.writeHead(200, { 'Content-Length': 21 * MEBIBYTE }).write(portrait(1));
      case 'endless': {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(MEBIBYTE)));
          if (!response.destroyed) response.once('drain', more);
        };
        return more();
      }
      case 'broken':
        response.writeHead(200, { 'Content-Length': 1000 }).write('GIF8');
        return setTimeout(() => response.destroy(), 20);
      case 'never':
        return undefined;
      case 'held':
        this.release = () => response.end(portrait(Number(seed)));
        return undefined;
      default:
        return response.writeHead(Number(name)).end();
    }
  }
}

let host: Host;
beforeAll(async () => {
  host = await new Host().start();
});
afterAll(() => host.close());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a bad image', () => {
  const CASES: [string, () => string | Blob, string, RegExp][] = [
    ['without data', () => 'data:,', 'invalid_request', /is empty/],
    ['without a comma', () => 'data:image/png;base64', 'invalid_request', /no data: address/],
    ['in broken base64', () => 'data:image/png;base64,a', 'invalid_request', /no data: address/],
    ['of a text', () => 'data:text/plain,hello', 'invalid_request', /is no PNG, JPEG/],
    [
      'of lines',
      () => `data:image/svg+xml,${encodeURIComponent('<svg xmlns="…"/>')}`,
      'invalid_request',
      /draw it on a canvas/,
    ],
    ['of another name', () => dataUrl(new Uint8Array(99), 'image/png'), 'invalid_request', /is no/],
    ['cut off', () => new Blob([portrait(1).subarray(0, 20)]), 'invalid_request', /is no PNG/],
    ['of no width', () => new Blob([sized(0, 9)]), 'invalid_request', /0 × 9 pixels/],
    [
      'of too many pixels',
      () => new Blob([sized(60_000, 60_000)]),
      'invalid_request',
      /3600 million pixels .* 67 million/,
    ],
    ['that is too narrow', () => new Blob([sized(20, 999)]), 'invalid_request', /too narrow/],
    ['of nothing', () => new Blob([]), 'invalid_request', /is empty/],
    [
      'of 21 MiB',
      () => new Blob([new Uint8Array(21 * MEBIBYTE)]),
      'invalid_request',
      /is of 21 MiB; an image may have 20/,
    ],
    [
      'of 21 MiB in an address',
      () => `data:image/png;base64,${'A'.repeat(28 * MEBIBYTE)}`,
      'invalid_request',
      /is of 21 MiB/,
    ],
    [
      'of 60 MiB in an address',
      () => `data:image/png;base64,${'A'.repeat(80 * MEBIBYTE)}`,
      'invalid_request',
      /is of 60 MiB/,
    ],
    ['that is not there', () => `${host.origin}/404`, 'invalid_request', /answers 404/],
    ['of a server that fails', () => `${host.origin}/500`, 'network', /answers 500/],
    ['of a server that is busy', () => `${host.origin}/429`, 'network', /answers 429/],
    ['that is a web page', () => `${host.origin}/page`, 'invalid_request', /is a web page/],
    ['that says to be large', () => `${host.origin}/large`, 'invalid_request', /is of 21 MiB/],
    ['that has no end', () => `${host.origin}/endless`, 'invalid_request', /is of 21 MiB/],
    ['that breaks off', () => `${host.origin}/broken`, 'network', /cannot be fetched/],
    ['of no server', () => 'http://127.0.0.1:9/a.png', 'network', /Access-Control-Allow-Origin/],
    [
      'that was revoked',
      () => {
        const url = URL.createObjectURL(new Blob([portrait(1)]));
        URL.revokeObjectURL(url);
        return url;
      },
      'network',
      /Pass the Blob itself/,
    ],
  ];

  it.each(CASES)('%s: named, and nobody else notices', async (_, url, code, words) => {
    const harness = await new Harness().loaded();
    const good = harness.submit(GOOD);
    await good.receipt;
    const outcome = await harness.submit(shown(url())).receipt;
    expect(outcome).toMatchObject({ ok: false, error: { code, param: FIELD } });
    if (!outcome.ok) {
      expect(outcome.error.message).toMatch(words);
      expect(outcome.error.message.length).toBeLessThan(500);
    }
    const count = await harness.server.countTokens(shown(url()));
    expect(count).toMatchObject({ ok: false, error: { code, param: FIELD } });
    expect((await good.answer).texts).toEqual([GOOD.simulate.content]);
    const { metrics } = await harness.snapshot();
    expect(metrics.total).toMatchObject({ submitted: 1, finished: 1 });
  });

  it('is told of at once, and the others of its request are not waited for', async () => {
    const harness = await new Harness().loaded();
    host.cut.length = 0;
    const request = shown(`${host.origin}/never`, `${host.origin}/404`, `${host.origin}/never/2`);
    const outcome = await harness.submit(request).receipt;
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'invalid_request', param: 'messages[0].content[2].image_url.url' },
    });
    await vi.waitFor(() => expect([...host.cut].sort()).toEqual(['/never', '/never/2']));
  });

  it('that does not come within 30 s is given up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const harness = await new Harness().loaded();
    host.requests.length = 0;
    const { receipt } = harness.submit(shown(`${host.origin}/never`));
    await vi.waitFor(() => expect(host.requests).toContain('/never'), { timeout: 5000 });
    await vi.advanceTimersByTimeAsync(31_000);
    const outcome = await receipt;
    expect(outcome).toMatchObject({ ok: false, error: { code: 'network', param: FIELD } });
    if (!outcome.ok) expect(outcome.error.message).toMatch(/has not come within 30 s/);
  });

  it('stands in a user’s message, and no other', async () => {
    const harness = await new Harness().loaded();
    const part = { type: 'image_url' as const, image_url: { url: dataUrl(portrait(1)) } };
    const call = { id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } };
    const asked = { role: 'user', content: 'x' };
    const cases: [object[], string][] = [
      [[{ role: 'system', content: [part] }, asked], 'messages[0].content[0]'],
      [[{ role: 'developer', content: [part] }, asked], 'messages[0].content[0]'],
      [[asked, { role: 'assistant', content: [part] }, asked], 'messages[1].content[0]'],
      [
        [
          asked,
          { role: 'assistant', tool_calls: [call] },
          { role: 'tool', tool_call_id: 'c', content: [part] },
        ],
        'messages[2].content[0]',
      ],
    ];
    for (const [messages, param] of cases) {
      const outcome = await harness.submit({ messages: messages as ChatMessage[] }).receipt;
      expect(outcome).toMatchObject({ ok: false, error: { code: 'unsupported', param } });
      if (!outcome.ok) expect(outcome.error.message).toMatch(/messages of the role user alone/);
    }
  });

  it('of those that are too many tokens together: no more of them are loaded', async () => {
    const harness = await new Harness().loaded();
    host.requests.length = 0;
    const urls = Array.from({ length: 40 }, (_, i) => `${host.origin}/picture/${i}`);
    const outcome = await harness.submit(shown(...urls)).receipt;
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: 'context_length_exceeded', param: 'messages' },
    });
    expect(host.requests.length).toBeLessThan(12);
  });
});

/** What a request's receipt says, or its error. */
async function receiptOf(harness: Harness, params: { messages: ChatMessage[] }) {
  const outcome = await harness.submit(params).receipt;
  return outcome.ok ? outcome.value : outcome.error;
}

describe('an image', () => {
  it('counts as many tokens on the simulated engine as on Phi-3.5-vision', async () => {
    const harness = await new Harness().loaded();
    const text = await receiptOf(harness, { messages: [{ role: 'user', content: 'What is it?' }] });
    const one = await receiptOf(harness, shown(new Blob([portrait(1)])));
    // And a line's end behind it.
    expect(one).toMatchObject({ promptTokens: Object(text).promptTokens + 1357 + 1 });
    const { end } = await harness.ask(shown(new Blob([portrait(1)])));
    expect(end).toMatchObject({ usage: { prompt_tokens: Object(one).promptTokens } });
  });

  it.each([
    ['a data: address', () => dataUrl(portrait(7))],
    ['a data: address in lines', () => dataUrl(portrait(7)).replace(/.{60}/g, '$&\n')],
    [
      'a data: address with escapes',
      () => dataUrl(portrait(7)).replaceAll('/', '%2F').replace('image%2F', 'image/'),
    ],
    ['a data: address of no type', () => dataUrl(portrait(7), '')],
    ['a Blob', () => new Blob([portrait(7)], { type: 'image/png' })],
    ['a Blob of no type', () => new Blob([portrait(7)])],
    ['a File', () => new File([portrait(7)], 'photo.png')],
    ['an address', () => `${host.origin}/picture/7`],
    ['an address that moved', () => `${host.origin}/moved/7`],
    ['a blob: address', () => URL.createObjectURL(new Blob([portrait(7)]))],
  ])('comes from %s, and is the same picture', async (name, url) => {
    const harness = await new Harness().loaded();
    await harness.ask({
      ...shown(new Blob([portrait(name.includes('moved') ? 1 : 7)])),
      max_tokens: 1,
    });
    const { end } = await harness.ask({ ...shown(url()), max_tokens: 1 });
    if (end.type !== 'done') throw new Error(end.error.message);
    const { prompt_tokens: all, prompt_tokens_details: details } = end.usage;
    expect(details.cached_tokens).toBeGreaterThan(1357);
    expect(details.cached_tokens).toBeLessThan(all);
  });

  it('shares no more with another than what stands before it', async () => {
    const harness = await new Harness().loaded();
    await harness.ask({ ...shown(new Blob([portrait(1)])), max_tokens: 1 });
    const { end } = await harness.ask({ ...shown(new Blob([portrait(2)])), max_tokens: 1 });
    expect(end).toMatchObject({
      usage: { prompt_tokens_details: { cached_tokens: expect.any(Number) } },
    });
    if (end.type === 'done') expect(end.usage.prompt_tokens_details.cached_tokens).toBeLessThan(60);
  });

  it('in a page that is not secure is taken all the same', async () => {
    const harness = await new Harness().loaded();
    vi.spyOn(crypto, 'subtle', 'get').mockReturnValue(Object(undefined).nothing);
    const { end } = await harness.ask({ ...shown(new Blob([portrait(1)])), max_tokens: 1 });
    expect(end.type).toBe('done');
  });

  it('warns of what is not heeded, once a sentence', async () => {
    const harness = await new Harness().loaded();
    const animated = [...portrait(1)];
    // The chunk that says so, before the data.
    animated.splice(33, 0, 0, 0, 0, 8, 97, 99, 84, 76, ...new Array<number>(12).fill(0));
    const url = dataUrl(Uint8Array.from(animated));
    const low = { type: 'image_url' as const, image_url: { url, detail: 'low' as const } };
    const auto = { type: 'image_url' as const, image_url: { url, detail: 'auto' as const } };
    const receipt = await receiptOf(harness, { messages: [{ role: 'user', content: [low, low] }] });
    expect(receipt).toMatchObject({
      warnings: [
        'messages[].content[].image_url.detail is ignored: every image is seen as finely as the model can.',
        'Of an animated image, the first frame alone is seen.',
      ],
    });
    const other = await receiptOf(harness, { messages: [{ role: 'user', content: [auto] }] });
    expect(other).toMatchObject({ warnings: [expect.stringContaining('animated')] });
  });

  it('keeps its place beside a name and tools', async () => {
    const harness = await new Harness().loaded();
    const [message] = shown(new Blob([portrait(1)])).messages;
    const named = { messages: [{ ...message, name: 'Ada' }] as ChatMessage[] };
    const tools = [{ type: 'function' as const, function: { name: 'look' } }];
    const plain = await harness.server.countTokens({ messages: [message] });
    const more = await harness.server.countTokens({ ...named, tools });
    expect(plain.ok && more.ok && more.value > plain.value).toBe(true);
  });

  it('is checked by decoding it, where there is a decoder', async () => {
    const { uninstall, decoded } = installDecoder();
    try {
      const harness = await new Harness().loaded();
      expect(await receiptOf(harness, shown(new Blob([portrait(1)])))).toMatchObject({
        promptTokens: expect.any(Number),
      });
      expect(decoded()).toBe(1);
      const error = await receiptOf(harness, shown(new Blob([sized(20, 30)])));
      expect(error).toMatchObject({ code: 'invalid_request', param: FIELD });
      expect(Object(error).message).toMatch(/cannot be decoded/);
    } finally {
      uninstall();
    }
  });
});

describe('while an image is fetched', () => {
  async function fetching() {
    const harness = await new Harness().loaded();
    host.requests.length = 0;
    host.cut.length = 0;
    const { receipt } = harness.submit(shown(`${host.origin}/never`), { id: 'x' });
    await vi.waitFor(() => expect(host.requests).toContain('/never'));
    return { harness, receipt };
  }

  it('others are answered', async () => {
    const { harness, receipt } = await fetching();
    expect((await harness.ask(GOOD)).texts).toEqual([GOOD.simulate.content]);
    await harness.server.abort('x');
    await receipt;
  });

  it('an abort ends it at once, and the fetch', async () => {
    const { harness, receipt } = await fetching();
    await harness.server.abort('x');
    expect(await receipt).toMatchObject({ ok: false, error: { code: 'aborted' } });
    await vi.waitFor(() => expect(host.cut).toContain('/never'));
    const { metrics } = await harness.snapshot();
    expect(metrics.total.submitted).toBe(0);
  });

  it.each([
    ['an unload', (harness: Harness) => harness.server.unload()],
    ['another load', (harness: Harness) => harness.load()],
    ['the end', (harness: Harness) => harness.server.dispose()],
  ])('%s ends it, with what that says', async (_, end) => {
    const { harness, receipt } = await fetching();
    const counting = harness.server.countTokens(shown(`${host.origin}/never`));
    await end(harness);
    expect(await receipt).toMatchObject({ ok: false, error: { code: 'disposed' } });
    expect(await counting).toMatchObject({ ok: false, error: { code: 'disposed' } });
    await vi.waitFor(() => expect(host.cut).toContain('/never'));
  });

  it('a lost device is waited out', async () => {
    const harness = await new Harness().loaded();
    const answer = harness.ask({ ...shown(`${host.origin}/picture`), ...GOOD });
    const neighbour = harness.submit(GOOD);
    await neighbour.receipt;
    harness.device.lose();
    expect((await answer).texts).toEqual([GOOD.simulate.content]);
    expect((await neighbour.answer).texts).toEqual([GOOD.simulate.content]);
  });

  it('its program may end, which it then hears', async () => {
    const harness = await new Harness().loaded();
    await harness.server.startProgram({ id: 'p', app: 'a', deadline: 5000 });
    const { answer } = harness.submit(shown(`${host.origin}/held`), { program: 'p' });
    await vi.waitFor(() => expect(host.requests).toContain('/held'));
    await harness.server.endProgram('p');
    host.release();
    expect(codeOf(await answer)).toBe('program_ended');
  });
});

describe('the images of open requests', () => {
  it('take no more memory together than they may', async () => {
    const harness = await new Harness().loaded();
    const { load } = Images.prototype;
    vi.spyOn(Images.prototype, 'load').mockImplementation(async function (this: Images, ...args) {
      const { images, warnings } = await load.apply(this, args);
      const rgb = { byteLength: 200 * MEBIBYTE } as Uint8Array;
      const large = { width: 1, height: 1, rgb };
      const heavy = [...images].map(
        ([source, image]) => [source, { ...image, pixels: large }] as const,
      );
      return { images: new Map(heavy), warnings };
    });
    const ask = (seed: number) =>
      harness.submit({ ...shown(new Blob([portrait(seed)])), ignore_eos: true });
    const first = ask(1);
    expect(await first.receipt).toMatchObject({ ok: true });
    expect(await ask(2).receipt).toMatchObject({ ok: true });
    const third = (await ask(3).receipt) as { error: TempoErrorJson };
    expect(third).toMatchObject({ error: { code: 'queue_full', retryAfterMs: 2000 } });
    await harness.server.abort(first.id);
    expect(await ask(3).receipt).toMatchObject({ ok: true });
    await harness.server.dispose();
  });
});
