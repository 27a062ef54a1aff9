/** Loaded when models are first asked about. */
import type { AppConfig } from '../worker/protocol';
import type { Link } from './link';
import type { Models } from './types';
import { unwrap } from './unwrap';

/** `models`: the host's answers, for the lists that this Tempo has. */
export function modelsOf(link: Link, appConfig: () => AppConfig | undefined): Models {
  return {
    list: async () => unwrap(await link.host.listModels(appConfig())),
    cached: async () => unwrap(await link.host.storedModels(undefined, appConfig())),
    storage: async (id) => unwrap(await link.host.storedModels(id ?? '', appConfig()))[0],
    size: async (id) => unwrap(await link.host.modelSize(id, appConfig())),
    estimate: async (id) => unwrap(await link.host.estimateModel(id, appConfig())),
    delete: async (id, part) =>
      unwrap(await link.host.deleteModel(id, appConfig(), part ?? undefined)),
    // A page asks for this, not a worker.
    persist: async () => (await globalThis.navigator?.storage?.persist?.()) ?? false,
  };
}
