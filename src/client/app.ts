import type { Slo } from '../worker/protocol';
import { ChatCompletions } from './completions';
import { lazy } from './lazy';
import type { Link } from './link';
import type { TempoApp } from './types';
import { unwrap } from './unwrap';

/** One feature of the page, and the objective it has now. */
export class App implements TempoApp {
  readonly name: string;
  readonly chat: TempoApp['chat'];
  readonly embeddings: TempoApp['embeddings'];
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
    this.embeddings = lazy(
      async () => new (await import('./embeddings')).EmbeddingCalls(link, caller),
    );
  }

  get slo(): Slo {
    return this.#slo;
  }

  setSlo = async (slo: Slo): Promise<void> => {
    unwrap(await this.#link.host.setSlo(this.name, slo));
    this.#slo = slo;
  };

  /** Takes a new objective at once; if it is none, the next request tells. */
  adopt(slo: Slo): void {
    this.#slo = slo;
    this.setSlo(slo).catch(() => {});
  }
}
