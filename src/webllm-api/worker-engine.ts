import type { TempoError, TempoOptions } from '../client';
import { randomId } from '../client/random-id';
import type { ChatOptions, MLCEngineConfig } from './config-types';
import { Engine } from './engine';
import { WebLLMError } from './errors';
import { log } from './log';
import { isResponse, SERVE, type ServeMessage, type WorkerRequest } from './messages';
import { packageWorker } from './package-worker';

/**
 * WebLLM's engine in a worker of the page's, whose file holds a `WebWorkerMLCEngineHandler`. Ending the worker
 * ends it all; `unload` leaves the worker, which can load again.
 */
export class WebWorkerMLCEngine extends Engine {
  readonly worker: Worker | MessagePort;
  readonly #introduced: Promise<void> | undefined;
  /** The worker's file is still WebLLM's. */
  #stranger: TempoError | undefined;

  /** `worker` may also be a MessagePort to what `serve` of `tempo-llm/server` offers. */
  constructor(worker: Worker | MessagePort, engineConfig?: MLCEngineConfig) {
    const { logitProcessorRegistry: registry, ...config } = engineConfig ?? {};
    super(config);
    if (registry?.size) log.warn('logitProcessorRegistry is ignored: the worker has none.');
    if (typeof worker?.addEventListener !== 'function') {
      throw new WebLLMError(
        'TypeError',
        'invalid_request',
        'worker must be a Worker or a MessagePort.',
        {
          param: 'worker',
        },
      );
    }
    this.worker = worker;
    this.#introduced = 'terminate' in worker ? this.#introduce(worker) : undefined;
    this.#introduced?.catch(() => {}); // a load throws it
  }

  protected override async reach(): Promise<Pick<TempoOptions, 'host' | 'worker'>> {
    await this.#introduced;
    return { worker: this.worker };
  }

  protected override get ownsTempo(): boolean {
    return false;
  }

  protected override notLoaded(requestName: string): TempoError {
    return new WebLLMError(
      'WorkerEngineModelNotLoadedError',
      'not_loaded',
      `No model is loaded for ${requestName}. Call reload(model), or make the engine with CreateWebWorkerMLCEngine.`,
    );
  }

  protected override explain(thrown: unknown): TempoError {
    return this.#stranger ?? super.explain(thrown);
  }

  /** Asks what a handler of the page's own answers with `handleTask`. */
  protected getPromise<T>(request: WorkerRequest): Promise<T> {
    return new Promise((resolve, reject) => {
      const hear = ({ data }: Event & { data?: unknown }) => {
        if (!isResponse(data) || data.uuid !== request.uuid) return;
        this.worker.removeEventListener('message', hear);
        if (data.kind === 'return') resolve(data.content as T);
        else reject(data.content);
      };
      this.worker.addEventListener('message', hear);
      this.worker.postMessage(request);
    });
  }

  /** Tells the worker where the package's is. */
  async #introduce(worker: Worker): Promise<void> {
    worker.addEventListener('error', (event) => {
      if (!/unknown message kind/i.test(event.message)) return;
      this.#stranger = new WebLLMError(
        'UnknownMessageKindError',
        'worker_unavailable',
        'The worker is WebLLM’s: its file still imports @mlc-ai/web-llm. Import WebWorkerMLCEngineHandler from tempo-llm/webllm there, too.',
      );
    });
    const uuid = randomId();
    worker.postMessage({
      kind: SERVE,
      uuid,
      content: await packageWorker(),
    } satisfies ServeMessage);
  }
}

/** A `WebWorkerMLCEngine` with `modelId` loaded. */
export async function CreateWebWorkerMLCEngine(
  worker: Worker | MessagePort,
  modelId: string | string[],
  engineConfig?: MLCEngineConfig,
  chatOpts?: ChatOptions | ChatOptions[],
): Promise<WebWorkerMLCEngine> {
  const engine = new WebWorkerMLCEngine(worker, engineConfig);
  await engine.reload(modelId, chatOpts);
  return engine;
}
