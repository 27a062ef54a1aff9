import { afterEach, describe, expect, it } from 'vitest';
import { installLanguageModel } from '../../src/prompt-api';
import { start } from './setup';

interface Globals {
  LanguageModel?: unknown;
  QuotaExceededError?: unknown;
}
const globals = globalThis as Globals;

afterEach(() => {
  delete globals.LanguageModel;
  delete globals.QuotaExceededError;
});

describe('installLanguageModel', () => {
  it('puts LanguageModel where pages look for it, and the error that it throws', async () => {
    const { tempo } = start();
    expect(installLanguageModel(tempo, { app: 'page' })).toBe(true);
    const { LanguageModel, QuotaExceededError } = globals;
    expect(Reflect.get(Object(LanguageModel), 'name')).toBe('LanguageModel');
    expect(Object.keys(globalThis)).not.toContain('LanguageModel');
    expect(QuotaExceededError).toBeInstanceOf(Function);
    await tempo.dispose();
  });

  it('leaves the browser’s own alone, unless it is forced', async () => {
    const { tempo } = start();
    const own = class {};
    globals.LanguageModel = own;
    expect(installLanguageModel(tempo)).toBe(false);
    expect(globals.LanguageModel).toBe(own);
    expect(installLanguageModel(tempo, { force: true })).toBe(true);
    expect(globals.LanguageModel).not.toBe(own);
    await tempo.dispose();
  });
});
