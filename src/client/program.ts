import type { ProgramReport } from '../worker/protocol';
import { ChatCompletions } from './completions';
import type { Link } from './link';
import type { ProgramOptions, TempoProgram } from './types';
import { unwrap } from './unwrap';

/** Calls with one deadline; it runs from when the engine is ready. */
export class Program implements TempoProgram {
  readonly id = `program-${crypto.getRandomValues(new Uint32Array(3)).join('-')}`;
  readonly chat: TempoProgram['chat'];
  readonly #link: Link;
  readonly #started: Promise<void>;

  constructor(link: Link, options: ProgramOptions) {
    this.#link = link;
    this.#started = this.#start(options);
    this.#started.catch(() => {}); // its calls tell
    const program = () => this.#started.then(() => this.id);
    this.chat = {
      completions: new ChatCompletions(link, {
        app: options.app,
        slo: { class: 'program' },
        program,
      }),
    };
  }

  end = async (): Promise<ProgramReport> => {
    await this.#started;
    return unwrap(await this.#link.host.endProgram(this.id));
  };

  async #start(options: ProgramOptions): Promise<void> {
    const start = { ...options, id: this.id };
    await this.#link.ready;
    unwrap(await this.#link.host.startProgram(start));
  }
}
