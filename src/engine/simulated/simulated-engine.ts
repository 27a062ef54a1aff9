import {
  type EngineCapabilities,
  type GrammarSpec,
  seededRandom,
  TempoError,
} from '../../scheduler';
import { PHI3V } from '../images/phi3v';
import { compileGrammar } from '../sampling/grammar/grammar';
import type { EngineStatus, LoadedModel, LoadOptions, StepEngine } from '../step-engine';
import { DEVICE_PROFILES, type DeviceProfile, isDeviceProfileName } from './device-profiles';
import { fillerText } from './filler-text';
import { END_TOKEN, SimulatedExecutor, type SimulationClock } from './simulated-executor';
import { WordTokenizer } from './word-tokenizer';

export interface SimulatedEngineOptions extends LoadOptions {
  /** A device profile's name (default `laptop-gpu`), or one of your own. */
  profile?: string | DeviceProfile;
  /** Default: real time. */
  clock?: SimulationClock;
  capabilities?: Partial<EngineCapabilities>;
}

/** Loads the simulated engine. Throws `unknown_model` for a profile that does not exist. */
export async function loadSimulatedEngine(
  options: SimulatedEngineOptions = {},
): Promise<StepEngine> {
  const named = options.profile ?? 'laptop-gpu';
  const profile = typeof named === 'string' ? deviceProfile(named) : named;
  if (options.signal?.aborted) throw TempoError.from(options.signal.reason, 'aborted');
  options.onProgress?.({ phase: 'ready', text: `Simulating ${profile.name}.`, fraction: 1 });
  return new SimulatedEngine(profile, options.clock ?? new RealClock(), options.capabilities);
}

/** The profile of this name. Throws `unknown_model` if there is none. */
export function deviceProfile(name: string): DeviceProfile {
  if (!isDeviceProfileName(name)) {
    throw new TempoError(
      'unknown_model',
      `There is no device profile "${name}" to simulate. Use one of ${Object.keys(DEVICE_PROFILES).join(', ')}.`,
      { param: 'model' },
    );
  }
  return DEVICE_PROFILES[name];
}

/** One vocabulary for all simulated engines: tokens outlive the engine that was given them, as after a loss. */
const TOKENIZER = new WordTokenizer();

/** The simulated executor with text around it. Everything it says is made up, and labelled so. */
class SimulatedEngine extends SimulatedExecutor implements StepEngine {
  readonly model: LoadedModel;
  readonly status: EngineStatus;
  readonly lost = new Promise<TempoError>(() => {});

  constructor(
    profile: DeviceProfile,
    clock: SimulationClock,
    capabilities?: Partial<EngineCapabilities>,
  ) {
    const tokenizer = TOKENIZER;
    const filler = new FillerTokens(tokenizer);
    super({
      profile,
      clock,
      capabilities,
      filler: (seed, index) => filler.token(seed, index),
      lengthOf: (seed) => 40 + Math.floor(seededRandom(seed)() * 160),
    });
    this.model = {
      id: profile.name,
      tokenizer,
      // ChatML, as most of WebLLM's models have it.
      template: {
        system_template: '<|im_start|>system\n{system_message}<|im_end|>\n',
        system_message: 'You are a helpful assistant.',
        roles: {
          user: '<|im_start|>user',
          assistant: '<|im_start|>assistant',
          tool: '<|im_start|>tool',
        },
        role_templates: {
          user: '{user_message}',
          assistant: '{assistant_message}',
          tool: '{tool_message}',
        },
        seps: ['<|im_end|>\n'],
        role_content_sep: '\n',
        role_empty_sep: '\n',
        stop_str: ['<|im_end|>'],
        stop_token_ids: [END_TOKEN],
      },
      defaults: { temperature: 0.7, topP: 0.95 },
      simulated: true,
      // As many tokens as the vision models of WebLLM's list take.
      images: { ...PHI3V, before: [], after: [], seesPixels: false },
    };
    this.status = {
      kind: 'simulated',
      model: profile.name,
      device: profile.description,
      mode: this.capabilities.batchedDecode ? 'batched' : 'serial',
      notes: ['Simulated: times come from a cost model, and the text is made up.'],
      kvBytes: 0,
    };
  }

  /** It constrains nothing, but what is refused by other engines is refused here. */
  async checkGrammar(spec: GrammarSpec, signal?: AbortSignal): Promise<void> {
    await compileGrammar(spec, signal);
  }

  async dispose(): Promise<void> {}
}

/** Filler text as tokens, made longer as it is asked for. */
class FillerTokens {
  readonly #tokenizer: WordTokenizer;
  readonly #bySeed = new Map<number, Int32Array>();

  constructor(tokenizer: WordTokenizer) {
    this.#tokenizer = tokenizer;
  }

  token(seed: number, index: number): number {
    let tokens = this.#bySeed.get(seed);
    if (tokens === undefined || tokens.length <= index) {
      if (this.#bySeed.size > 64) this.#bySeed.clear();
      tokens = this.#tokenizer.encode(fillerText(seed, 8 * (index + 128)));
      this.#bySeed.set(seed, tokens);
    }
    return tokens[index];
  }
}

/** Wall time. Timers are late by their nature; what one wait is over, the next is shorter. */
export class RealClock implements SimulationClock {
  #owedMs = 0;

  now(): number {
    return performance.now();
  }

  async sleep(ms: number): Promise<void> {
    const due = ms - this.#owedMs;
    if (due <= 0) {
      this.#owedMs -= ms;
      return;
    }
    const start = this.now();
    await new Promise((resolve) => setTimeout(resolve, due));
    this.#owedMs = Math.min(20, Math.max(0, this.now() - start - due));
  }
}
