import {
  type ModelLimits,
  type ServerState,
  type Tempo,
  TempoError,
  type TempoErrorCode,
  type TempoOptions,
} from '../client';
import { TempoClient } from '../client/tempo';
import type { LoadedTempo } from './session';
import type { Availability } from './types';

/** What no second try mends. */
const FINAL: readonly TempoErrorCode[] = [
  'webgpu_unavailable',
  'shader_f16_unavailable',
  'unknown_model',
  'unsupported',
  'invalid_request',
];

/** A Tempo that is the page's, or that is made when it is first needed. */
export class TempoSource {
  readonly #options: TempoOptions | undefined;
  #tempo: Tempo | undefined;
  /** The next to be loaded. It was asked about its models; nothing else of it has begun. */
  #idle: TempoClient | undefined;
  /** Why the last Tempo of our own came to nothing. */
  #failure: TempoError | undefined;

  constructor(given: Tempo | TempoOptions) {
    if (isTempo(given)) this.#tempo = given;
    else if (typeof given === 'object' && given !== null) this.#options = given;
    else throw new TypeError('Give a Tempo, or options for one.');
  }

  async availability(): Promise<Availability> {
    if (this.#tempo !== undefined) return availabilityOf(this.#tempo.state);
    if (this.#failure !== undefined && FINAL.includes(this.#failure.code)) return 'unavailable';
    const { engine, host } = this.#options ?? {};
    if (engine === 'simulated') return 'available'; // there is nothing to load
    return host || (await hasGpu()) ? 'downloadable' : 'unavailable';
  }

  /**
   * Whether the model takes images. One that is not loaded is looked up in its list; true where there is no
   * telling yet.
   */
  async mayTakeImages(): Promise<boolean> {
    if (this.#tempo !== undefined) {
      const { state } = this.#tempo;
      return state.phase !== 'ready' || state.limits.images;
    }
    if (this.#options === undefined || this.#options.engine === 'simulated') return true;
    const { model } = this.#options;
    try {
      this.#idle ??= new TempoClient(this.#options);
      const list = await this.#idle.models.list();
      return list.some(({ id, images = true }) => id === model && images);
    } catch {
      return true; // the load will tell what is wrong
    }
  }

  /** How tokens are drawn by default; undefined where nothing is loaded or being loaded. */
  async defaults(): Promise<ModelLimits['defaults'] | undefined> {
    return this.#tempo === undefined ? undefined : (await loaded(this.#tempo)).defaults;
  }

  /** Waits for the load, and begins it if need be. Rejects with the TempoError that it fails with. */
  async load(onState?: (state: ServerState) => void): Promise<LoadedTempo> {
    this.#tempo ??= this.#create();
    const tempo = this.#tempo;
    const stop = onState === undefined ? () => {} : tempo.onState(onState);
    try {
      return { tempo, limits: await loaded(tempo) };
    } catch (thrown) {
      // The next call tries again, with a new one.
      if (this.#options !== undefined && this.#tempo === tempo) {
        this.#failure = TempoError.from(thrown);
        this.#tempo = undefined;
        void tempo.dispose();
      }
      throw thrown;
    } finally {
      stop();
    }
  }

  #create(): Tempo {
    if (this.#options === undefined) throw new TempoError('not_loaded', 'There is no Tempo.');
    const tempo = this.#idle ?? new TempoClient(this.#options);
    this.#idle = undefined;
    tempo.start();
    return tempo;
  }
}

function isTempo(given: Tempo | TempoOptions): given is Tempo {
  return typeof given === 'object' && given !== null && 'countTokens' in given;
}

/** Resolves with what fits once the model is there, or there again. */
async function loaded(tempo: Tempo): Promise<ModelLimits> {
  await tempo.ready;
  let stop = () => {};
  const limits = new Promise<ModelLimits>((resolve, reject) => {
    stop = tempo.onState((state) => {
      if (state.phase === 'ready') resolve(state.limits);
      if (state.phase === 'failed') reject(TempoError.fromJSON(state.error));
      if (state.phase === 'idle') {
        reject(new TempoError('not_loaded', 'No model is loaded. Load one first.'));
      }
    });
  });
  return limits.finally(() => stop());
}

function availabilityOf({ phase }: ServerState): Availability {
  switch (phase) {
    case 'ready':
    case 'recovering':
      return 'available';
    case 'loading':
      return 'downloading';
    case 'idle':
    case 'failed':
      return 'unavailable';
  }
}

async function hasGpu(): Promise<boolean> {
  if (typeof navigator === 'undefined' || !('gpu' in navigator)) return false;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter !== null;
}
