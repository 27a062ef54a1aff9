import { InvalidArgumentError } from '@ai-sdk/provider';
import type {
  Completions,
  ProgramOptions,
  ServerState,
  Tempo,
  TempoApp,
  TempoProgram,
} from '../client';
import type { GivenOptions } from './provider-options';
import type { TempoProviderSettings } from './types';

/** Where a provider's calls go: to its app or program, or to those that a call names. */
export class Routes {
  readonly #tempo: Tempo;
  readonly #app: TempoApp;
  readonly #program: TempoProgram | undefined;
  /** Those that a call can name. */
  readonly #programs = new Map<string, TempoProgram>();

  constructor(tempo: Tempo, { app, slo, program }: TempoProviderSettings) {
    this.#tempo = tempo;
    this.#app = tempo.app(app ?? 'ai-sdk', slo ? { slo } : undefined);
    this.#program = program ?? undefined;
    if (program) this.#programs.set(program.id, program);
  }

  get phase(): ServerState['phase'] {
    return this.#tempo.state.phase;
  }

  get loadedModel(): string | undefined {
    const { state } = this.#tempo;
    return state.phase === 'ready' ? state.engine.model : undefined;
  }

  app(name: string | undefined): TempoApp {
    return name === undefined ? this.#app : this.#tempo.app(name);
  }

  /** Throws `InvalidArgumentError` for a program that is not known, or named beside an app. */
  completions({ app, program: id }: GivenOptions): Completions {
    if (id === undefined && app === undefined && this.#program !== undefined) {
      return this.#program.chat.completions;
    }
    if (id === undefined) return this.app(app).chat.completions;
    if (app !== undefined) {
      throw refused('app', 'A call of a program is accounted to its app. Leave app out.');
    }
    const program = this.#programs.get(id);
    if (program !== undefined) return program.chat.completions;
    throw refused(
      'program',
      `There is no program "${id}" under way here. Start it with provider.program().`,
    );
  }

  startProgram(options: Omit<ProgramOptions, 'app'> & { app?: string | null }): TempoProgram {
    // Without options it is the Tempo that refuses.
    const program = this.#tempo.program(
      options && { ...options, app: options.app ?? this.#app.name },
    );
    const { end } = program;
    this.#programs.set(program.id, program);
    program.end = () => {
      this.#programs.delete(program.id);
      return end();
    };
    return program;
  }
}

function refused(field: 'app' | 'program', message: string): InvalidArgumentError {
  return new InvalidArgumentError({ argument: `providerOptions.tempo.${field}`, message });
}
