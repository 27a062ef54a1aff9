import type {
  AnyPolicyName,
  AppConfig,
  ChatCompletionParams,
  LoadConfig,
  ServerState,
  Snapshot,
} from '../worker/protocol';
import { App } from './app';
import { checked, checkListener, invalid, refuse } from './checked';
import { connectDirectly, connectPort } from './connection';
import { crossing } from './crossing';
import { signalOf } from './ended';
import { lazy } from './lazy';
import { Link } from './link';
import { Program } from './program';
import { startWorker } from './start-worker';
import type {
  AppOptions,
  Fetch,
  LoadChoice,
  Models,
  ProgramOptions,
  RequestOptions,
  Tempo,
  TempoOptions,
  TempoProgram,
} from './types';
import { unwrap } from './unwrap';

/** Apps that are remembered, with their objectives; whoever holds one keeps it. */
const MAX_APPS = 1000;

/** The simulated engine's device, where none is named. */
const DEFAULT_PROFILE = 'laptop-gpu';

/**
 * Starts a Tempo: a server in a worker of its own, which begins to load at once.
 *
 * ```ts
 * const tempo = createTempo({ model: 'Llama-3.2-1B-Instruct-q4f16_1-MLC' });
 * const chat = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });
 * const stream = await chat.chat.completions.create({
 *   messages: [{ role: 'user', content: 'Why is the sky blue?' }],
 *   stream: true,
 * });
 * for await (const chunk of stream) show(chunk.choices[0]?.delta.content ?? '');
 * ```
 *
 * Calls wait until the engine is loaded. What goes wrong is a `TempoError` with a `code`; what goes
 * wrong with the load is told by `ready` and `onState`. Throws `invalid_request` where `options` is no
 * object, or names two places to run in, or none that is one.
 */
export function createTempo(options: TempoOptions): Tempo {
  const tempo = new TempoClient(options);
  tempo.start();
  return tempo;
}

/** Starts nothing before `start`: it can be made and thrown away. Calls made before wait for the load. */
export class TempoClient implements Tempo {
  readonly models: Models;
  readonly #link: Link;
  readonly #apps = new Map<string, App>();
  /** What the next load is to be, but for what it says itself. */
  #config: LoadConfig;
  /** The lists of the latest load, even if it failed. */
  #appConfig: AppConfig | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(options: TempoOptions) {
    const { host, worker, signal, ...choice } = checked(options);
    if (host && (worker || !host.listen)) {
      throw invalid('Give a TempoServer as host, or a worker.', 'host');
    }
    this.#link = new Link(() => {
      if (host) return connectDirectly(host);
      const own = !worker || typeof worker === 'function';
      if (!own) return connectPort(() => ({ worker }), own);
      return connectPort(worker ? () => ({ worker: worker() }) : startWorker, own);
    });
    this.#config = configOf({ engine: 'webllm', model: '', policy: 'tempo' }, choice);
    this.models = lazy(async () =>
      (await import('./models')).modelsOf(this.#link, () => this.#appConfig),
    );
    this.#signal = signalOf({ signal });
  }

  /** Begins the first load. */
  start(): void {
    this.#load(this.#config, this.#signal).catch(() => {}); // `ready` tells
  }

  get ready(): Promise<void> {
    return this.#link.ready;
  }

  get state(): ServerState {
    return this.#link.state;
  }

  app = (name: string, options?: AppOptions | null): App => {
    if (typeof name !== 'string' || !name) {
      throw invalid('An app has a name.', 'app');
    }
    const { slo, ...rest } = checked(options ?? {});
    refuse(rest);
    let app = this.#apps.get(name);
    if (app === undefined) {
      app = new App(this.#link, { app: name, slo: slo ?? { class: 'best-effort' } }, this.app);
      if (this.#apps.size >= MAX_APPS) this.#apps.clear();
      this.#apps.set(name, app);
    } else if (slo) {
      app.adopt(slo);
    }
    return app;
  };

  countTokens = async (params: ChatCompletionParams): Promise<number> => {
    await this.#link.ready;
    return unwrap(await this.#link.host.countTokens(await crossing(params)));
  };

  program = (options: ProgramOptions): TempoProgram =>
    new Program(this.#link, checked(options), this.app);

  fetch: Fetch = (input, init) => this.app('default').fetch(input, init);

  load = async (choice: LoadChoice, options?: RequestOptions | null): Promise<void> => {
    const config = configOf(this.#config, checked(choice));
    await this.#load(config, signalOf(options));
    this.#config = config;
  };

  unload = async (): Promise<void> => {
    await this.#link.host.unload();
  };

  setPolicy = async (policy: AnyPolicyName): Promise<void> => {
    unwrap(await this.#link.host.setPolicy(policy));
    this.#config = { ...this.#config, policy };
  };

  onState = (listener: (state: ServerState) => void): (() => void) => {
    checkListener(listener);
    return this.#link.onState(listener);
  };

  watch = (listener: (snapshot: Snapshot) => void, intervalMs?: number | null): (() => void) => {
    checkListener(listener);
    const ms = intervalMs ?? 100;
    if (!(typeof ms === 'number' && ms >= 0 && ms < 2 ** 31)) {
      throw invalid('intervalMs must be ms.', 'intervalMs');
    }
    return this.#link.watch(listener, ms);
  };

  exportProfile = (): Promise<string> => this.#link.host.exportProfile();

  importProfile = async (profile: string): Promise<void> => {
    await this.#link.ready;
    unwrap(await this.#link.host.importProfile(profile));
  };

  dispose = (): Promise<void> => this.#link.dispose();

  #load(config: LoadConfig, signal?: AbortSignal): Promise<void> {
    this.#appConfig = config.appConfig;
    return this.#link.load(config, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** The choice, with the settings that were before; what it leaves undefined or null is as before. */
function configOf(before: LoadConfig, choice: LoadChoice): LoadConfig {
  const said = Object.entries(choice).filter(([, value]) => value !== undefined && value !== null);
  const config: LoadConfig = {
    ...before,
    engine: 'webllm',
    model: '',
    ...Object.fromEntries(said),
  };
  if (config.engine === 'simulated') config.model ||= DEFAULT_PROFILE;
  return config;
}
