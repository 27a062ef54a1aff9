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

  constructor(link: Link, { app, kind, deadline }: ProgramOptions) {
    this.#link = link;
    this.#started = this.#start(app, kind ?? undefined, deadline);
    this.#started.catch(() => {}); // its calls tell
    const program = () => this.#started.then(() => this.id);
    this.chat = {
      completions: new ChatCompletions(link, { app, slo: { class: 'program' }, program }),
    };
  }

  end = async (): Promise<ProgramReport> => {
    await this.#started;
    return unwrap(await this.#link.host.endProgram(this.id));
  };

  async #start(app: string, kind: string | undefined, deadline: number): Promise<void> {
    await this.#link.ready;
    unwrap(await this.#link.host.startProgram({ id: this.id, app, kind, deadline }));
  }
}
