import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { picture } from '../src/engine/testing/png';
import { type BuiltPage, builtPage } from './built-page';
import type {} from './images-page/main';

/** Images in a browser, which decodes them and has more kinds of them than files. */
let served: BuiltPage;
/** Another site, which shows its picture and lets nobody read it. */
const elsewhere = createServer((_, response) => response.end(picture(1, 90, 160)));
let foreign = '';

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  served = await builtPage('images-page', 24_390);
  // A phone's screen: 1,357 tokens.
  writeFileSync(join(served.outDir, 'picture.png'), picture(1, 90, 160));
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  foreign = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/picture.png`;
});

test.afterAll(async () => {
  await served.close();
  elsewhere.close();
});

test.beforeEach(async ({ page }) => {
  await page.goto(served.url);
  await page.waitForFunction(() => globalThis.parts !== undefined);
});

test('a picture’s pixels are read strip by strip as at once, white where it is transparent', async ({
  page,
}) => {
  const { sizes, differing, scaled, corner } = await page.evaluate(async () => {
    const { decode, readPixels } = globalThis.parts;
    const [width, height] = [1500, 1100];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('There is no canvas.');
    const colours = context.createLinearGradient(0, 0, width, height);
    ['red', 'yellow', 'green', 'blue', 'black'].forEach((name, i) => {
      colours.addColorStop(i / 4, name);
    });
    context.fillStyle = colours;
    context.fillRect(0, 0, width, height);
    for (let i = 0; i < 200; i++) {
      context.fillStyle = `hsl(${i * 37} 90% 50%)`;
      context.fillRect((i * 131) % width, (i * 197) % height, 40, 30);
    }
    const { data } = context.getImageData(0, 0, width, height);
    const read = async (area: OffscreenCanvas, w: number, h: number) => {
      const bytes = new Uint8Array(await (await area.convertToBlob()).arrayBuffer());
      const bitmap = await decode(bytes, 'image/png', 'image');
      if (bitmap === undefined) throw new Error('Nothing was decoded.');
      const drawn = { left: 0, top: 0, width: w, height: h };
      return readPixels(bitmap, { width: w, height: h, drawn, rows: 1 });
    };
    const whole = await read(canvas, width, height);
    let differing = 0;
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) if (whole.rgb[3 * i + c] !== data[4 * i + c]) differing++;
    }
    // A smaller one, against all of it drawn at once.
    const [w, h] = [900, 660];
    const small = new OffscreenCanvas(w, h);
    const smaller = small.getContext('2d');
    if (smaller === null) throw new Error('There is no canvas.');
    smaller.imageSmoothingQuality = 'high';
    smaller.drawImage(canvas, 0, 0, w, h);
    const atOnce = smaller.getImageData(0, 0, w, h).data;
    const { rgb } = await read(canvas, w, h);
    let scaled = 0;
    for (let i = 0; i < w * h; i++) {
      for (let c = 0; c < 3; c++) {
        if (Math.abs(rgb[3 * i + c] - atOnce[4 * i + c]) > 8) scaled++;
      }
    }
    context.clearRect(0, 0, 10, 10);
    const clear = await read(canvas, width, height);
    return {
      sizes: [whole.width, whole.height, whole.rgb.length],
      differing,
      scaled,
      corner: [...clear.rgb.subarray(0, 3)],
    };
  });
  expect(sizes).toEqual([1500, 1100, 1500 * 1100 * 3]);
  expect(differing).toBe(0);
  expect(scaled).toBe(0);
  expect(corner).toEqual([255, 255, 255]);
});

test('every address of an image, and every format, is the same to a chat', async ({ page }) => {
  const tokens = await page.evaluate(async () => {
    const tempo = globalThis.parts.createTempo({ engine: 'simulated' });
    const count = (url: string | Blob) =>
      tempo.countTokens({
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
      });
    const canvas = new OffscreenCanvas(90, 160);
    canvas.getContext('2d')?.fillRect(10, 10, 20, 20);
    const address = new URL('picture.png', location.href).href;
    const counts: Record<string, number> = { address: await count(address) };
    for (const type of ['image/png', 'image/jpeg', 'image/webp']) {
      const blob = await canvas.convertToBlob({ type });
      if (blob.type !== type) throw new Error(`${type} is not made here.`);
      const bytes = new Uint8Array(await blob.arrayBuffer());
      counts[type] = await count(blob);
      counts[`${type} at an address of the page’s`] = await count(URL.createObjectURL(blob));
      const base64 = btoa(String.fromCharCode(...bytes));
      counts[`${type} in an address`] = await count(`data:${type};base64,${base64}`);
    }
    await tempo.dispose();
    return counts;
  });
  expect(Object.keys(tokens)).toHaveLength(10);
  expect(new Set(Object.values(tokens)).size).toBe(1);
  expect(tokens.address).toBeGreaterThan(1357);
});

test('an image that another site keeps to itself, or that is broken, is named', async ({
  page,
}) => {
  const broken = picture(1, 90, 160).slice(0, 200);
  const errors = await page.evaluate(
    async ([url, bytes]) => {
      const tempo = globalThis.parts.createTempo({ engine: 'simulated' });
      const failure = (url: string | Blob) =>
        tempo
          .countTokens({
            messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
          })
          .then(
            () => undefined,
            ({ code, param }) => ({ code, param }),
          );
      const found = [await failure(url), await failure(new Blob([Uint8Array.from(bytes)]))];
      await tempo.dispose();
      return found;
    },
    [foreign, [...broken]] as const,
  );
  const param = 'messages[0].content[0].image_url.url';
  expect(errors).toEqual([
    { code: 'network', param },
    { code: 'invalid_request', param },
  ]);
});

test('all that Chrome’s model takes for an image is one to ours, as it was when it was shown', async ({
  page,
}) => {
  const seen = await page.evaluate(async () => {
    const shown: Record<string, number[]> = {};
    let url: unknown;
    const LanguageModel = globalThis.parts.createLanguageModel(
      { engine: 'simulated' },
      {
        simulate({ messages }) {
          const content = messages.at(-1)?.content ?? [];
          const [part] = typeof content === 'string' ? [] : content;
          url = part?.type === 'image_url' ? part.image_url.url : undefined;
          return { content: 'Green.' };
        },
      },
    );
    const session = await LanguageModel.create({
      expectedInputs: [{ type: 'text' }, { type: 'image' }],
    });
    const ask = async (name: string, value: unknown, after = () => {}) => {
      const clone = await session.clone();
      const answer = clone.prompt([{ role: 'user', content: [{ type: 'image', value }] }]);
      after();
      await answer;
      const bitmap = await createImageBitmap(url as Blob);
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      context?.drawImage(bitmap, 0, 0);
      const colour = context?.getImageData(3, 3, 1, 1).data ?? [];
      shown[name] = [bitmap.width, bitmap.height, ...colour];
      clone.destroy();
    };

    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [9, 16];
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('There is no canvas.');
    const paint = (colour: string) => {
      context.fillStyle = colour;
      context.fillRect(0, 0, 9, 16);
    };
    paint('#00ff00');
    const offscreen = new OffscreenCanvas(9, 16);
    offscreen.getContext('2d')?.drawImage(canvas, 0, 0);
    const blob = await offscreen.convertToBlob();
    const element = new Image();
    element.src = URL.createObjectURL(blob);
    await element.decode();

    await ask('Blob', blob);
    await ask('ArrayBuffer', await blob.arrayBuffer());
    await ask('Uint8Array', new Uint8Array(await blob.arrayBuffer()));
    await ask('ImageData', context.getImageData(0, 0, 9, 16));
    await ask('OffscreenCanvas', offscreen);
    await ask('HTMLImageElement', element);
    await ask('VideoFrame', new VideoFrame(canvas, { timestamp: 0 }));
    const bitmap = await createImageBitmap(canvas);
    await ask('ImageBitmap', bitmap, () => bitmap.close());
    await ask('HTMLCanvasElement', canvas, () => paint('red'));
    const large = new OffscreenCanvas(6000, 3000);
    const wide = large.getContext('2d');
    if (wide === null) throw new Error('There is no canvas.');
    wide.fillStyle = '#00ff00';
    wide.fillRect(0, 0, 6000, 3000);
    await ask('a large one', large);
    session.destroy();
    return shown;
  });
  const { 'a large one': large, ...others } = seen;
  const names = Object.keys(others);
  expect(names).toHaveLength(9);
  for (const name of names) expect([name, ...others[name]]).toEqual([name, 9, 16, 0, 255, 0, 255]);
  expect(large[0] * large[1]).toBeLessThanOrEqual(2 ** 22);
  expect(large[0] / large[1]).toBeCloseTo(2, 2);
  expect(large.slice(2)).toEqual([0, 255, 0, 255]);
});

test('what cannot be read is refused as the platform does', async ({ page }) => {
  const names = await page.evaluate(async (url) => {
    const LanguageModel = globalThis.parts.createLanguageModel({ engine: 'simulated' });
    const session = await LanguageModel.create({ expectedInputs: [{ type: 'image' }] });
    const failure = (value: unknown) =>
      session.prompt([{ role: 'user', content: [{ type: 'image', value }] }]).then(
        () => 'none',
        ({ name }) => name,
      );
    const closed = await createImageBitmap(new ImageData(2, 2));
    closed.close();
    const tainted = new Image();
    tainted.src = url;
    await tainted.decode();
    const broken = new Image();
    broken.src = 'data:image/png;base64,AQL6';
    await broken.decode().catch(() => {});
    const empty = document.createElement('canvas');
    empty.width = 0;
    const values = [closed, tainted, broken, empty, document.body, 'data:,', 7];
    return Promise.all(values.map(failure));
  }, foreign);
  expect(names).toEqual([
    'InvalidStateError',
    'SecurityError',
    'InvalidStateError',
    'InvalidStateError',
    'TypeError',
    'TypeError',
    'TypeError',
  ]);
});
