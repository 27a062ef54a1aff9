import { expect, test } from '@playwright/test';

test('the page opens without an error', { tag: '@phone' }, async ({ page }) => {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto('/');
  await expect(page).toHaveTitle(/Tempo/);
  await expect(page.getByRole('heading', { name: 'Tempo' })).toBeVisible();
  expect(errors).toEqual([]);
});
