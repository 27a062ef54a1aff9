/** The lesson: the same requests under two policies, and what the page says of it. */
import { expect as baseExpect, type Page, test } from '@playwright/test';

/** The engine runs in real time: on a busy machine everything takes a while. */
const expect = baseExpect.configure({ timeout: 20_000 });

const verdict = (page: Page) => page.locator('.verdict-text');
const timeline = (page: Page, side: 'A' | 'B') =>
  page.getByRole('img', { name: new RegExp(`^${side}, `) });
const life = (page: Page) => page.locator('.life');
const strip = (page: Page, policy: string) =>
  page.locator('.policy-strip').getByRole('button', { name: new RegExp(`^${policy} ?([AB] ?)*,`) });

const pause = (page: Page) => page.locator('.timeline-tools .pause');

/** How many requests are live, by the queue. */
const live = async (page: Page) =>
  Number.parseInt(await page.locator('.queue .panel-figure').innerText(), 10) || 0;

/** Without the summarizer's own documents, and without the tour. */
async function open(page: Page, query: string): Promise<void> {
  await page.addInitScript(() => {
    const nothing = { state: { documents: [], paused: false }, version: 1 };
    localStorage.setItem('tempo.summarizer', JSON.stringify(nothing));
  });
  await page.goto(`/${query}`);
  await expect(timeline(page, 'A')).toBeVisible();
}

interface Numbers {
  text: string;
  judged: number;
  a: number;
  b: number;
  scores: { met: number; judged: number }[];
  /** Of each side, summed over the apps. */
  heads: { met: number; judged: number }[];
}

/** What the page says and what it draws, all read at one moment. */
function numbers(page: Page): Promise<Numbers> {
  return page.evaluate(() => {
    const shadow = document.querySelector('tempo-twins')?.shadowRoot;
    const counts = (text: string | null | undefined) => {
      const found = /(\d+|–) of (\d+)/.exec(text ?? '');
      return { met: Number(found?.[1] ?? 0) || 0, judged: Number(found?.[2] ?? 0) };
    };
    const text = document.querySelector('.verdict-text')?.textContent ?? '';
    const said = /(\d+) requests?: \S+(?: above)? (\d+) in time, \S+(?: below)? (\d+)/.exec(text);
    const heads = ['.side-a', '.side-b'].map((side) => {
      const sum = { met: 0, judged: 0 };
      for (const element of shadow?.querySelectorAll(`${side} .twin-counts`) ?? []) {
        const { met, judged } = counts(element.textContent);
        sum.met += met;
        sum.judged += judged;
      }
      return sum;
    });
    return {
      text,
      judged: Number(said?.[1]),
      a: Number(said?.[2]),
      b: Number(said?.[3]),
      scores: [...document.querySelectorAll('.side-score')].map((e) => counts(e.textContent)),
      heads,
    };
  });
}

test('in the rush hour tempo and fcfs are told apart, and the verdict says what is drawn', async ({
  page,
}) => {
  test.setTimeout(120_000);
  await open(page, '?s=rush&load=2&a=tempo&b=fcfs&seed=7');
  await expect(verdict(page)).toContainText(/\d+ requests: tempo \d+ in time, fcfs \d+/);
  await page.waitForTimeout(40_000);
  for (let i = 0; i < 5; i++) {
    // Every place is told within a frame of the others.
    await expect
      .poll(async () => {
        const { judged, a, b, scores, heads } = await numbers(page);
        const drawn = [...scores, ...heads].map(({ met, judged }) => [met, judged].join());
        return drawn.join(' ') === `${a},${judged} ${b},${judged} ${a},${judged} ${b},${judged}`;
      })
      .toBe(true);
    await page.waitForTimeout(700);
  }
  const { text, judged, a, b } = await numbers(page);
  console.log(`after 40 s: ${text}`);
  expect(judged).toBeGreaterThan(15);
  expect((a - b) / judged).toBeGreaterThan(0.3);
  // The picture, too: what is late is red.
  const red = (side: 'A' | 'B') =>
    timeline(page, side).evaluate((canvas) => {
      if (!(canvas instanceof HTMLCanvasElement)) return 0;
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
        data: [],
      };
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i] > 150 && data[i + 1] < 90 && data[i + 2] < 110) count++;
      }
      return count;
    });
  const [above, below] = [await red('A'), await red('B')];
  console.log(`red pixels: ${above} above, ${below} below`);
  expect(below).toBeGreaterThan(2 * above);
  // Every policy has been replayed on the same arrivals.
  await expect(strip(page, 'sarathi')).toContainText(/\d+ of \d+ in time/);
  const rows = await page.locator('.strip-row').allInnerTexts();
  console.log(rows.map((row) => row.replace(/\s+/g, ' ')).join('; '));
});

test('where it is calm, the verdict says that nothing differs', async ({ page }) => {
  test.slow();
  await open(page, '?s=calm&load=0.5&a=tempo&b=tempo-oracle&seed=7');
  await expect
    .poll(async () => (await numbers(page)).judged, { timeout: 60_000 })
    .toBeGreaterThan(4);
  const { judged, a, b } = await numbers(page);
  expect(a).toBeGreaterThanOrEqual(judged - 1);
  expect(b).toBeGreaterThanOrEqual(judged - 1);
});

test('a policy of the strip is shown as B, with what it did before', async ({ page }) => {
  test.slow();
  await open(page, '?s=rush&load=2&a=tempo&b=fcfs&seed=7');
  await expect(strip(page, 'webllm')).toContainText(/\d+ of \d+ in time/, { timeout: 60_000 });
  await strip(page, 'webllm').click();
  await expect(page.getByLabel('Policy of B')).toHaveValue('webllm');
  await expect(strip(page, 'webllm')).toHaveAttribute('aria-pressed', 'true');
  // Its past came with it: there is something to compare at once.
  await expect(verdict(page)).toContainText(/[1-9]\d* requests?: tempo \d+ in time, webllm \d+/);
  await expect(page).toHaveURL(/b=webllm/);
  await page.getByLabel('Policy of B').selectOption('edf');
  await expect(strip(page, 'edf')).toHaveAttribute('aria-pressed', 'true');
  await expect(page).toHaveURL(/b=edf/);
  await expect(verdict(page)).toContainText(/tempo \d+ in time, edf \d+/);
});

test('the address gives the same page again', async ({ page }) => {
  await open(page, '');
  await page.getByLabel('Scenario').selectOption('agent');
  await page.getByRole('slider', { name: /Load/ }).fill('2.5');
  await page.getByText('sarathi', { exact: true }).first().click();
  await page.getByLabel('Policy of B').selectOption('qlm');
  await expect(page).toHaveURL(/\?s=agent&load=2\.5&a=sarathi&b=qlm&seed=2$/);
  await page.reload();
  await expect(page.getByLabel('Scenario')).toHaveValue('agent');
  await expect(page.getByRole('slider', { name: /Load/ })).toHaveValue('2.5');
  await expect(page.getByRole('radio', { name: 'sarathi', exact: true })).toBeChecked();
  await expect(page.getByLabel('Policy of B')).toHaveValue('qlm');
  await expect(verdict(page)).toContainText(/sarathi \d+ in time, qlm \d+/);
});

test('what an address cannot ask for is said, and the rest holds', async ({ page }) => {
  await open(page, '?s=storm&load=99&b=edf&seed=x');
  const said = page.getByRole('status').filter({ hasText: 'The address says' });
  await expect(said).toContainText('s=storm, which is not a scenario');
  await expect(said).toContainText('load=99, which is not a number from 0.5 to 4');
  await expect(said).toContainText('seed=x');
  await expect(page.getByLabel('Policy of B')).toHaveValue('edf');
  await expect(page.getByLabel('Scenario')).toHaveValue('rush');
  await said.getByRole('button', { name: 'Dismiss' }).click();
  await expect(said).toHaveCount(0);
});

test('a burst comes at once, on both sides', async ({ page }) => {
  await open(page, '?s=calm&load=0.5&a=tempo&b=fcfs&seed=3');
  await expect(page.locator('.lamp.ready')).toBeVisible();
  await expect(page.locator('.queue .panel-figure')).toBeVisible();
  const before = await live(page);
  await page.getByRole('button', { name: 'Burst' }).click();
  await expect.poll(() => live(page)).toBeGreaterThan(before + 4);
  await expect
    .poll(async () => (await numbers(page)).judged, { timeout: 30_000 })
    .toBeGreaterThan(8);
});

test('more come at a higher load, and nobody without traffic', async ({ page }) => {
  test.slow();
  await open(page, '?s=calm&load=0.5&a=tempo&b=fcfs&seed=3');
  const load = page.getByRole('slider', { name: /Load/ });
  await expect(load).toHaveAttribute('aria-valuetext', '0.5');
  await load.press('End');
  await expect(load).toHaveAttribute('aria-valuetext', '4.0, more than the engine can do');
  await expect.poll(() => live(page), { timeout: 40_000 }).toBeGreaterThan(12);
  await page.getByRole('switch', { name: 'Demo traffic' }).uncheck();
  await expect(page.getByText('No request is live.')).toBeVisible();
});

test('a request is looked at by keyboard: its life above and below', async ({ page }) => {
  test.slow();
  await open(page, '?s=rush&load=2&a=fcfs&b=tempo&seed=7');
  await expect.poll(async () => (await numbers(page)).judged).toBeGreaterThan(3);
  const canvas = timeline(page, 'A');
  await canvas.focus();
  await canvas.press(']');
  await expect(life(page)).toContainText(/waited|paused|late for/);
  await expect(life(page).locator('[data-side="a"]')).toContainText('fcfs');
  await expect(life(page).locator('[data-side="b"]')).toContainText('tempo');
  await expect(life(page).locator('[data-side="a"]')).toContainText(/late for \d/);
  const heading = await life(page).innerText();
  await canvas.press('[');
  await expect.poll(() => life(page).innerText()).not.toBe(heading);
  await canvas.press('Escape');
  await expect(life(page)).toHaveCount(0);
  await canvas.press('ArrowLeft');
  await canvas.press('Enter');
  await expect(life(page).locator('.spark')).toHaveCount(3);
  await life(page).getByRole('button', { name: 'Close' }).click();
  await expect(page.locator('.policy-strip')).toBeVisible();
});

test('a click looks at a request, and where it is due can be dragged', async ({ page }) => {
  test.slow();
  await open(page, '?s=rush&load=1.5&a=fcfs&b=tempo&seed=7');
  await expect.poll(async () => (await numbers(page)).judged).toBeGreaterThan(3);
  await pause(page).click();
  const canvas = timeline(page, 'A');
  const box = await canvas.boundingBox();
  if (box === null) throw new Error('There is no timeline.');
  const { x, y, width } = box;
  // Somewhere in the chat's lanes there is a request whose first due time is in view.
  const handle = page.locator('.side-a .due-handle');
  for (let i = 0; i < 90 && !(await handle.isVisible()); i++) {
    await page.mouse.click(x + width * (0.84 - 0.05 * (i % 6)), y + 6 + 4 * Math.floor(i / 6));
  }
  await expect(life(page)).toBeVisible();
  expect(await life(page).locator('[data-side="a"]').innerText()).toMatch(/due\s+after 800 ms/);
  const field = page.getByLabel('Time to first token');
  const grip = await handle.boundingBox();
  if (grip === null) throw new Error('There is nothing to drag.');
  await page.mouse.move(grip.x + grip.width / 2, grip.y + 8);
  await page.mouse.down();
  await page.mouse.move(grip.x + grip.width / 2 + 60, grip.y + 8, { steps: 4 });
  await expect(handle).toHaveAttribute('data-value', /^\d+ ms$/);
  await page.mouse.up();
  await expect(field).not.toHaveValue('800');
  const dragged = Number(await field.inputValue());
  expect(dragged).toBeGreaterThan(1000);
  expect(dragged).toBeLessThan(1800); // 60 px of 8 s
  // And with the keyboard.
  await handle.focus();
  await handle.press('ArrowRight');
  await expect(field).toHaveValue(String(dragged + 50));
  await expect(page.locator('.side-a .track-head[data-app="chat"]')).toContainText(
    `of ${dragged + 50} ms`,
  );
});

test('the timelines share one pause, one axis and one cursor', async ({ page }) => {
  await open(page, '?s=calm&load=1&a=tempo&b=fcfs&seed=7');
  await expect.poll(async () => (await numbers(page)).judged).toBeGreaterThan(0);
  await pause(page).click();
  await expect(pause(page)).toHaveText('Go on');
  await page.waitForTimeout(300);
  const picture = (side: 'A' | 'B') =>
    timeline(page, side).evaluate((canvas) => {
      if (!(canvas instanceof HTMLCanvasElement)) return '';
      let hash = 0;
      for (const letter of canvas.toDataURL()) hash = (31 * hash + letter.charCodeAt(0)) | 0;
      return String(hash);
    });
  const before = [await picture('A'), await picture('B')];
  await page.waitForTimeout(1200);
  expect([await picture('A'), await picture('B')]).toEqual(before);
  // A cursor on one is drawn on the other.
  await timeline(page, 'A').focus();
  await timeline(page, 'A').press('ArrowLeft');
  await expect.poll(() => picture('B')).not.toBe(before[1]);
});

test('five steps, each one control, tell the story; they can be skipped', async ({ page }) => {
  await open(page, '');
  const tour = page.getByRole('region', { name: 'In a minute' });
  const steps = [
    { title: 'One at a time', action: 'Serve one at a time', address: /s=calm.*a=webllm/ },
    { title: 'Batching', action: 'Serve them together', address: /a=fcfs&b=webllm/ },
    { title: 'Order matters', action: 'Serve what is due first', address: /s=rush.*a=edf&b=fcfs/ },
    { title: 'Just enough', action: 'Give just enough', address: /a=tempo&b=sarathi/ },
    { title: 'Overload', action: 'Let too many come', address: /load=2&a=tempo&b=edf/ },
  ];
  for (const [i, { title, action, address }] of steps.entries()) {
    await expect(tour).toContainText(`${i + 1} of 5 · ${title}.`);
    await tour.getByRole('button', { name: action }).click();
    await expect(page).toHaveURL(address);
    await tour.getByRole('button', { name: i < 4 ? 'Next' : 'Done' }).click();
  }
  await expect(tour).toHaveCount(0);
  await page.goto('/');
  await expect(timeline(page, 'A')).toBeVisible();
  await expect(tour).toHaveCount(0); // once is enough
  await page.getByRole('button', { name: 'In a minute' }).click();
  await tour.getByRole('button', { name: 'Skip' }).click();
  await expect(tour).toHaveCount(0);
});

test('on a phone the verdict, the dial, two timelines and the composer are on the first screen', {
  tag: '@phone',
}, async ({ page }) => {
  test.skip((page.viewportSize()?.width ?? 0) > 600, 'for a phone');
  await open(page, '?s=rush&load=2&a=tempo&b=fcfs&seed=7');
  await expect(verdict(page)).toContainText(/in time/);
  const height = page.viewportSize()?.height ?? 0;
  for (const part of [
    verdict(page),
    page.getByRole('slider', { name: /Load/ }),
    timeline(page, 'A'),
    timeline(page, 'B'),
    page.getByLabel('Message to the chat'),
  ]) {
    const box = await part.boundingBox();
    expect(box).not.toBeNull();
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
  }
  await page.getByLabel('Policy of A').selectOption('edf');
  await expect(page).toHaveURL(/a=edf/);
});

test('forced colours and reduced motion keep the picture, and still it', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'active' });
  await open(page, '?s=rush&load=2&a=tempo&b=fcfs&seed=7');
  await expect.poll(async () => (await numbers(page)).judged).toBeGreaterThan(2);
  // The view moves on in half seconds, not with every frame.
  const pictures = await timeline(page, 'B').evaluate(async (canvas) => {
    const seen = new Set<string>();
    for (let i = 0; i < 10 && canvas instanceof HTMLCanvasElement; i++) {
      seen.add(canvas.toDataURL());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return seen.size;
  });
  expect(pictures).toBeLessThanOrEqual(4);
  const share = page.locator('.strip-row[aria-pressed="true"]');
  expect(await share.evaluate((row) => getComputedStyle(row).outlineStyle)).toBe('solid');
});
