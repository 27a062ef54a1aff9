/**
 * WebLLM keeps a model over a page's end in a service worker. A service worker may not import code when it is
 * asked for, as Tempo does; what it was for, a shared worker does: all pages of the origin share the model.
 */
import type { TempoOptions } from '../client';
import { trusted } from '../client/start-worker';
import type { ChatOptions, MLCEngineConfig } from './config-types';
import { Engine } from './engine';
import { WebLLMError } from './errors';
import { packageWorker } from './package-worker';

/**
 * An engine that all pages of the origin share, in a SharedWorker; where there is none (Chrome on Android), or
 * the package comes from another origin, in a worker of this page's. `unload` leaves it to the others.
 */
export class ServiceWorkerMLCEngine extends Engine {
  /** `keepAliveMs` has no effect: a shared worker lives as long as a page has it. */
  constructor(engineConfig?: MLCEngineConfig, _keepAliveMs?: number) {
    super(engineConfig);
  }

  protected override async reach(): Promise<Pick<TempoOptions, 'host' | 'worker'>> {
    const given = await super.reach();
    if (given.host || given.worker || typeof SharedWorker === 'undefined') return given;
    const { address, type } = await packageWorker();
    if (new URL(address).origin !== location.origin) return given;
    // A page that is loaded anew finds it within half a minute (Chrome 139).
    const options = { type, name: 'tempo-webllm', extendedLifetime: true };
    return { worker: () => new SharedWorker(trusted(address), options) };
  }
}

/** A `ServiceWorkerMLCEngine` with `modelId` loaded: at once where another page has it. */
export async function CreateServiceWorkerMLCEngine(
  modelId: string | string[],
  engineConfig?: MLCEngineConfig,
  chatOpts?: ChatOptions | ChatOptions[],
  keepAliveMs?: number,
): Promise<ServiceWorkerMLCEngine> {
  const engine = new ServiceWorkerMLCEngine(engineConfig, keepAliveMs);
  await engine.reload(modelId, chatOpts);
  return engine;
}

/** What a service worker's file for WebLLM holds. There is nothing for it to do: the file may go. */
export class ServiceWorkerMLCEngineHandler {
  /** Throws `NonWorkerEnvironmentError` outside a service worker, as WebLLM's does. */
  constructor() {
    if ('ServiceWorkerGlobalScope' in globalThis) return;
    throw new WebLLMError(
      'NonWorkerEnvironmentError',
      'unsupported',
      'ServiceWorkerMLCEngineHandler must be made in a service worker’s script.',
    );
  }
}
