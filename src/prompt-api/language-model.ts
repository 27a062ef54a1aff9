import type { Tempo, TempoOptions } from '../client';
import { abortable } from './abortable';
import { readCoreOptions, readCreateOptions } from './create-options';
import { noImages, platformError } from './errors';
import { DownloadProgress } from './monitor';
import { paramsOf } from './sampling';
import { Session } from './session';
import { KEY, type MakeObject, SessionObject } from './session-object';
import { readSettings } from './settings';
import { TempoSource } from './tempo-source';
import type {
  Availability,
  LanguageModelClass,
  LanguageModelCreateCoreOptions,
  LanguageModelCreateOptions,
  LanguageModelParams,
  LanguageModelSettings,
  LanguageModel as Made,
} from './types';

/** What models that are not loaded yet are taken to have. */
const USUAL_DEFAULTS = { temperature: 1, topP: 1 };

/**
 * Chrome's `LanguageModel` on a Tempo, or on one that is made of these options by the first `create()`.
 *
 * ```ts
 * const LanguageModel = createLanguageModel({ model: 'Qwen3-0.6B-q4f16_1-MLC' });
 * const session = await LanguageModel.create({ initialPrompts: [{ role: 'system', content: 'Be brief.' }] });
 * for await (const piece of session.promptStreaming('Why is the sky blue?')) show(piece);
 * ```
 *
 * Where it differs from Chrome's: `create()` needs no user activation, `topK` and `temperature` work in
 * pages, every language is taken, and `slo` and `app` say how its sessions are served.
 */
export function createLanguageModel(
  tempo: Tempo | TempoOptions,
  settings?: LanguageModelSettings | null,
): LanguageModelClass {
  const source = new TempoSource(tempo);
  const shared = readSettings(settings);

  const make: MakeObject = (session, signal) => new LanguageModel(KEY, session, make, signal);

  class LanguageModel extends SessionObject {
    static async create(options?: LanguageModelCreateOptions | null): Promise<Made> {
      const { signal, monitor, unsupported, app, slo, ...rest } = readCreateOptions(options);
      signal?.throwIfAborted();
      const progress = monitor && new DownloadProgress(monitor);
      if (unsupported !== undefined) {
        const sentence = `No model takes or gives content of type ${unsupported} here.`;
        throw new DOMException(sentence, 'NotSupportedError');
      }
      const session = { ...shared, ...rest, app: app ?? shared.app, slo: slo ?? shared.slo };
      try {
        return make(await abortable(open(), signal), signal);
      } catch (thrown) {
        throw signal?.aborted ? signal.reason : platformError(thrown);
      }

      async function open(): Promise<Session> {
        if (rest.images && !(await source.mayTakeImages())) throw noImages();
        await Promise.resolve(); // what the page does next comes before the first event
        if (!signal?.aborted) progress?.begin();
        const loaded = await source.load((state) => {
          if (!signal?.aborted) progress?.take(state);
        });
        if (!signal?.aborted) progress?.end();
        signal?.throwIfAborted();
        return Session.open(loaded, session);
      }
    }

    static async availability(
      options?: LanguageModelCreateCoreOptions | null,
    ): Promise<Availability> {
      const { unsupported, images } = readCoreOptions(options);
      const taken = unsupported === undefined && (!images || (await source.mayTakeImages()));
      return taken ? source.availability() : 'unavailable';
    }

    static async params(): Promise<LanguageModelParams> {
      const defaults = await source.defaults().catch(() => undefined); // `create()` tells
      return paramsOf(defaults ?? USUAL_DEFAULTS);
    }
  }
  // Whatever a minifier calls it.
  return Object.defineProperty(LanguageModel, 'name', { value: 'LanguageModel' });
}
