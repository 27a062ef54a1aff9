import * as theirs from '@mlc-ai/web-llm';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as ours from '../../src/webllm-api';
import { CHAT, thrown } from './setup';

/**
 * WebLLM's own inner checks, which it exports with its protocol, and the classes of `engine.chat` and the
 * like, which only an engine makes (here they are types).
 */
const INNER = [
  ...['Chat', 'Completions', 'Embeddings', 'ChatCompletionRequestUnsupportedFields'],
  ...['postInitAndCheckFieldsChatCompletion', 'postInitAndCheckFieldsCompletion'],
  ...['postInitAndCheckFieldsEmbedding', 'rejectCompletionResumable'],
];

describe('what is exported', () => {
  it('is what WebLLM exports, but for its inner checks', () => {
    const missing = Object.keys(theirs).filter((name) => !(name in ours));
    expect(missing.sort()).toEqual(INNER.sort());
    expect(Object.keys(ours).filter((name) => !(name in theirs))).toEqual([]);
  });

  it('has the same names of files', () => {
    const dataOf = (from: typeof ours | typeof theirs) => ({
      package: from.MODEL_PACKAGE_MANIFEST_FILENAME,
      weights: from.TENSOR_CACHE_MANIFEST_FILENAME,
      schema: from.ARTIFACT_SCHEMA_VERSION,
    });
    expect(dataOf(ours)).toEqual(dataOf(theirs));
  });
});

describe('an engine', () => {
  it('has all of WebLLM’s methods', () => {
    const methodsOf = (engine: object): string[] => {
      const names: string[] = [];
      let at = Object.getPrototypeOf(engine);
      for (; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
        names.push(...Object.getOwnPropertyNames(at));
      }
      return names;
    };
    // What types.d.ts of WebLLM lists; the rest of its class is private.
    const engine = methodsOf(new ours.MLCEngine());
    expect(engine).toEqual(
      expect.arrayContaining([
        ...['setInitProgressCallback', 'getInitProgressCallback', 'setAppConfig', 'reload'],
        ...['chatCompletion', 'completion', 'embedding', 'listResumableSessions'],
        ...['resumeChatCompletion', 'deleteResumableSession', 'runtimeStatsText'],
        ...['interruptGenerate', 'unload', 'resetChat', 'getMessage', 'setLogLevel'],
        ...['getMaxStorageBufferBindingSize', 'getGPUVendor', 'forwardTokensAndSample'],
        ...['setLogitProcessorRegistry'],
      ]),
    );
  });

  it('may stand where WebLLM’s types are asked for', () => {
    const engine: Omit<theirs.MLCEngineInterface, 'chat' | 'completions' | 'embeddings'> =
      new ours.MLCEngine();
    const config: ours.MLCEngineConfig = {} satisfies theirs.MLCEngineConfig;
    expect([engine, config]).toHaveLength(2);
  });
});

describe('an extension’s service worker', () => {
  it('is refused by name, with what to use', async () => {
    const created = ours.CreateExtensionServiceWorkerMLCEngine(CHAT);
    await expect(created).rejects.toThrow(/CreateServiceWorkerMLCEngine/);
    expect(await thrown(created)).toMatchObject({ code: 'unsupported' });
    expect(() => new ours.ExtensionServiceWorkerMLCEngine()).toThrow(/not supported/);
    expect(() => new ours.ExtensionServiceWorkerMLCEngineHandler()).toThrow(/not supported/);
  });
});

describe('verifyIntegrity', () => {
  const data = new TextEncoder().encode('weights').buffer;
  const other = new TextEncoder().encode('other').buffer;

  it.each(['sha256', 'sha384', 'sha512'])('agrees with WebLLM’s on %s', async (name) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const bits = await crypto.subtle.digest(name.replace('sha', 'SHA-'), data);
    const sri = `${name}-${btoa(String.fromCharCode(...new Uint8Array(bits)))}`;
    for (const { verifyIntegrity, isValidSRI } of [ours, theirs]) {
      expect(isValidSRI(sri)).toBe(true);
      await verifyIntegrity(data, sri, 'a.wasm');
      await expect(verifyIntegrity(other, sri, 'a.wasm')).rejects.toMatchObject({
        name: 'IntegrityError',
        url: 'a.wasm',
        expected: sri,
        actual: expect.stringContaining(`${name}-`),
      });
      await verifyIntegrity(other, sri, 'a.wasm', 'warn');
    }
    expect(warn).toHaveBeenCalledWith(
      expect.stringMatching(/^Integrity check failed for a.wasm: /),
    );
  });

  it.each(['', 'md5-abc=', 'sha256-abc', 'sha256-', `sha384-${'a'.repeat(63)}=`])(
    'refuses %j, as WebLLM’s does',
    async (sri) => {
      for (const { verifyIntegrity, isValidSRI } of [ours, theirs]) {
        expect(isValidSRI(sri)).toBe(false);
        await expect(verifyIntegrity(data, sri, 'a.wasm')).rejects.toThrow(/Invalid SRI/);
      }
    },
  );
});
