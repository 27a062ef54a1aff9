import type { ProgramReport } from '../worker/protocol';
import { Api } from './api';
import type { Link } from './link';
import { randomId } from './random-id';
import type { ProgramOptions, TempoProgram } from './types';
import { unwrap } from './unwrap';

/** Calls with one deadline; it runs from when the engine is ready. */
export class Program extends Api implements TempoProgram {
  readonly id = `program-${randomId()}`;
  readonly #started: Promise<void>;

  constructor(link: Link, options: ProgramOptions, appOf: (name: string) => Api) {
    super(link, { app: options.app, slo: { class: 'program' } }, appOf);
    this.#started = this.#start(options);
    this.#started.catch(() => {}); // its calls tell
    this.caller.program = () => this.#started.then(() => this.id);
  }

  end = async (): Promise<ProgramReport> => {
    await this.#started;
    return unwrap(await this.link.host.endProgram(this.id));
  };

  async #start(options: ProgramOptions): Promise<void> {
    const start = { ...options, id: this.id };
    await this.link.ready;
    unwrap(await this.link.host.startProgram(start));
  }
}
