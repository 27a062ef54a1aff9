import type { Outcome, TempoServer } from '../server';
import type { EmbeddingResult, EmbeddingSubmission } from '../server/embedding-types';
import type { TempoHost } from '../server/host';
import type {
  LoadConfig,
  Receipt,
  RequestEvent,
  ServerState,
  Submission,
} from '../server/server-types';

/**
 * One client of a server that others may use, too: it hears of its own requests alone, loads nothing
 * twice, and its end is not the server's. Engine, policy and what is learnt are common to all.
 */
export class Session implements TempoHost {
  readonly #server: TempoServer;
  /** Requests of this client that have not ended. */
  readonly #open = new Set<string>();
  readonly #watches = new Set<number>();
  readonly #listeners = new Set<Parameters<TempoServer['unlisten']>[0]>();
  /** Ends the wait for a load that another began. */
  #leaveLoad: (() => void) | undefined;
  #loads = 0;

  constructor(server: TempoServer) {
    this.#server = server;
  }

  async load(config: LoadConfig): Promise<Outcome<ServerState>> {
    const joined = this.#server.joinable(config);
    if (joined === undefined) {
      this.#loads++;
      return this.#server.load(config).finally(() => this.#loads--);
    }
    const cancelled = new Promise<Outcome<ServerState>>((resolve) => {
      this.#leaveLoad = () => resolve(CANCELLED);
    });
    return Promise.race([joined, cancelled]).finally(() => {
      this.#leaveLoad = undefined;
    });
  }

  /** A load that another waits for as well goes on. */
  async cancelLoad(): Promise<void> {
    this.#leaveLoad?.();
    if (this.#loads > 0) await this.#server.cancelLoad();
  }

  unload = () => this.#server.unload();

  async submit(submission: Submission): Promise<Outcome<Receipt>> {
    const id = submission?.id;
    const mine = this.#open.has(id); // of another request, which goes on
    this.#open.add(id);
    const outcome = await this.#server.submit(submission);
    if (!outcome.ok && !mine) this.#open.delete(id);
    return outcome;
  }

  async embed(submission: EmbeddingSubmission): Promise<Outcome<EmbeddingResult>> {
    const id = submission?.id;
    const mine = this.#open.has(id);
    this.#open.add(id);
    return this.#server.embed(submission).finally(() => mine || this.#open.delete(id));
  }

  async abort(requestId: string): Promise<void> {
    if (this.#open.has(requestId)) await this.#server.abort(requestId);
  }

  ping: TempoHost['ping'] = async () => {};
  countTokens: TempoHost['countTokens'] = (params) => this.#server.countTokens(params);
  startProgram: TempoHost['startProgram'] = (start) => this.#server.startProgram(start);
  endProgram: TempoHost['endProgram'] = (id) => this.#server.endProgram(id);
  setPolicy: TempoHost['setPolicy'] = (policy) => this.#server.setPolicy(policy);
  setSlo: TempoHost['setSlo'] = (app, slo) => this.#server.setSlo(app, slo);

  async listen(onEvents: (events: RequestEvent[]) => void): Promise<void> {
    const listener = (events: RequestEvent[]) => {
      for (const { type, id } of events) {
        if (type === 'done' || type === 'error') this.#open.delete(id);
      }
      return onEvents(events);
    };
    this.#listeners.add(listener);
    await this.#server.listen(listener, (id) => this.#open.has(id));
  }

  async listenState(onState: (state: ServerState) => void): Promise<void> {
    this.#listeners.add(onState);
    await this.#server.listenState(onState);
  }

  watch: TempoHost['watch'] = async (onSnapshot, intervalMs) => {
    const handle = await this.#server.watch(onSnapshot, intervalMs);
    this.#watches.add(handle);
    return handle;
  };

  async unwatch(handle: number): Promise<void> {
    if (this.#watches.delete(handle)) await this.#server.unwatch(handle);
  }

  exportProfile: TempoHost['exportProfile'] = () => this.#server.exportProfile();
  importProfile: TempoHost['importProfile'] = (profile) => this.#server.importProfile(profile);

  listModels: TempoHost['listModels'] = (...args) => this.#server.listModels(...args);
  storedModels: TempoHost['storedModels'] = (...args) => this.#server.storedModels(...args);
  modelSize: TempoHost['modelSize'] = (...args) => this.#server.modelSize(...args);
  estimateModel: TempoHost['estimateModel'] = (...args) => this.#server.estimateModel(...args);
  deleteModel: TempoHost['deleteModel'] = (...args) => this.#server.deleteModel(...args);

  /** Aborts what this client has open, and tells it nothing more. */
  async dispose(): Promise<void> {
    await this.cancelLoad();
    for (const id of this.#open) void this.#server.abort(id);
    for (const listener of this.#listeners) this.#server.unlisten(listener);
    for (const handle of this.#watches) void this.#server.unwatch(handle);
    this.#open.clear();
    this.#listeners.clear();
    this.#watches.clear();
  }
}

const CANCELLED: Outcome<never> = {
  ok: false,
  error: { code: 'aborted', message: 'The load was cancelled.' },
};
