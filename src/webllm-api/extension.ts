/**
 * WebLLM keeps a model in an extension's service worker. Tempo's worker cannot be started there; what it was
 * for does `ServiceWorkerMLCEngine`, from the extension's own pages.
 */
import type { ChatOptions, MLCEngineConfig } from './config-types';
import { WebLLMError } from './errors';
import { ServiceWorkerMLCEngine } from './service-worker';

export interface ExtensionMLCEngineConfig extends MLCEngineConfig {
  extensionId?: string;
  onDisconnect?: () => void;
}

/** Refused. */
export class ExtensionServiceWorkerMLCEngine extends ServiceWorkerMLCEngine {
  /** Throws `unsupported`. */
  constructor(_engineConfig?: ExtensionMLCEngineConfig, _keepAliveMs?: number) {
    super();
    throw unsupported('ExtensionServiceWorkerMLCEngine');
  }
}

/** Refused: rejects with `unsupported`. */
export async function CreateExtensionServiceWorkerMLCEngine(
  _modelId: string | string[],
  _engineConfig?: ExtensionMLCEngineConfig,
  _chatOpts?: ChatOptions | ChatOptions[],
  _keepAliveMs?: number,
): Promise<ExtensionServiceWorkerMLCEngine> {
  throw unsupported('CreateExtensionServiceWorkerMLCEngine');
}

/** Refused. */
export class ExtensionServiceWorkerMLCEngineHandler {
  /** Throws `unsupported`. */
  constructor(_port?: unknown) {
    throw unsupported('ExtensionServiceWorkerMLCEngineHandler');
  }
}

function unsupported(name: string): WebLLMError {
  return new WebLLMError(
    'FeatureSupportError',
    'unsupported',
    `${name} is not supported: workers cannot be started in an extension's service worker. In the extension's pages (popup, side panel, offscreen document) use CreateServiceWorkerMLCEngine, whose shared worker serves them all.`,
  );
}
