import {
  type LoadConfig,
  type Outcome,
  type PolicyName,
  type ProgramReport,
  type ServerState,
  type Slo,
  type Snapshot,
  TempoError,
} from '../worker/protocol';
import { ChatCompletions } from './completions';
import { Link } from './link';
import type {
  AppOptions,
  ProgramOptions,
  RequestOptions,
  Tempo,
  TempoApp,
  TempoOptions,
  TempoProgram,
} from './types';
import { connectDirectly, connectWorker } from './worker-host';

const BEST_EFFORT: Slo = { class: 'best-effort' };

/** The simulated engine's device, where none is named. */
const DEFAULT_PROFILE = 'laptop-gpu';

/**
 * Starts a Tempo: a server in a worker of its own, which begins to load at once.
 *
 * ```ts
 * const tempo = createTempo({ engine: 'webllm', model: 'Llama-3.2-1B-Instruct-q4f16_1-MLC' });
 * const chat = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });
 * const stream = await chat.chat.completions.create({
 *   messages: [{ role: 'user', content: 'Why is the sky blue?' }],
 *   stream: true,
 * });
 * for await (const chunk of stream) show(chunk.choices[0]?.delta.content ?? '');
 * ```
 *
 * Calls wait until the engine is loaded. What goes wrong is a `TempoError` with a `code`.
 */
export function createTempo(options: TempoOptions = {}): Tempo {
  return new TempoClient(options);
}

class TempoClient implements Tempo {
  readonly #link: Link;
  readonly #apps = new Map<string, App>();
  /** What the next load is to be, but for what it says itself. */
  #config: LoadConfig;

  constructor({ host, ...config }: TempoOptions) {
    this.#link = new Link(host === undefined ? connectWorker : () => connectDirectly(host));
    const model = config.engine === 'simulated' ? DEFAULT_PROFILE : '';
    this.#config = { engine: 'webllm', model, policy: 'tempo', ...config };
    this.#link.load(this.#config).catch(() => {}); // `ready` tells
  }

  get ready(): Promise<void> {
    return this.#link.ready;
  }

  get state(): ServerState {
    return this.#link.state;
  }

  app(name: string, options: AppOptions = {}): TempoApp {
    let app = this.#apps.get(name);
    if (app === undefined) {
      app = new App(this.#link, name, options.slo ?? BEST_EFFORT);
      this.#apps.set(name, app);
    } else if (options.slo !== undefined) {
      app.adopt(options.slo);
    }
    return app;
  }

  program(options: ProgramOptions): TempoProgram {
    return new Program(this.#link, options);
  }

  async load(
    config: Pick<LoadConfig, 'engine' | 'model'> & Partial<LoadConfig>,
    { signal }: RequestOptions = {},
  ): Promise<void> {
    await this.#link.load({ ...this.#config, ...config }, signal);
    this.#config = { ...this.#config, ...config };
  }

  async setPolicy(policy: PolicyName): Promise<void> {
    unwrap(await this.#link.host.setPolicy(policy));
    this.#config = { ...this.#config, policy };
  }

  onState(listener: (state: ServerState) => void): () => void {
    return this.#link.onState(listener);
  }

  watch(listener: (snapshot: Snapshot) => void, intervalMs = 100): () => void {
    return this.#link.watch(listener, intervalMs);
  }

  exportProfile(): Promise<string> {
    return this.#link.host.exportProfile();
  }

  async importProfile(profile: string): Promise<void> {
    await this.#link.ready;
    unwrap(await this.#link.host.importProfile(profile));
  }

  dispose(): Promise<void> {
    return this.#link.dispose();
  }
}

class App implements TempoApp {
  readonly name: string;
  readonly chat: TempoApp['chat'];
  readonly #link: Link;
  #slo: Slo;

  constructor(link: Link, name: string, slo: Slo) {
    this.#link = link;
    this.name = name;
    this.#slo = slo;
    const current = () => this.#slo;
    const caller = {
      app: name,
      get slo() {
        return current();
      },
    };
    this.chat = { completions: new ChatCompletions(link, caller) };
  }

  get slo(): Slo {
    return this.#slo;
  }

  async setSlo(slo: Slo): Promise<void> {
    unwrap(await this.#link.host.setSlo(this.name, slo));
    this.#slo = slo;
  }

  /** Takes a new objective at once; if it is none, the next request tells. */
  adopt(slo: Slo): void {
    this.#slo = slo;
    this.setSlo(slo).catch(() => {});
  }
}

class Program implements TempoProgram {
  readonly id = `program-${crypto.getRandomValues(new Uint32Array(3)).join('-')}`;
  readonly chat: TempoProgram['chat'];
  readonly #link: Link;
  readonly #started: Promise<void>;

  constructor(link: Link, { app, kind, deadline }: ProgramOptions) {
    this.#link = link;
    this.#started = this.#start(app, kind, deadline);
    this.#started.catch(() => {}); // its calls tell
    const program = () => this.#started.then(() => this.id);
    this.chat = {
      completions: new ChatCompletions(link, { app, slo: { class: 'program' }, program }),
    };
  }

  async end(): Promise<ProgramReport> {
    await this.#started;
    return unwrap(await this.#link.host.endProgram(this.id));
  }

  async #start(app: string, kind: string | undefined, deadline: number): Promise<void> {
    await this.#link.ready;
    unwrap(await this.#link.host.startProgram({ id: this.id, app, kind, deadline }));
  }
}

function unwrap<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw TempoError.fromJSON(outcome.error);
  return outcome.value;
}
