import type { Slo } from '../worker/protocol';
import { Api } from './api';
import { lazy } from './lazy';
import type { TempoApp } from './types';
import { unwrap } from './unwrap';

/** One feature of the page, and the objective it has now. */
export class App extends Api implements TempoApp {
  readonly embeddings: TempoApp['embeddings'] = lazy(
    async () => new (await import('./embeddings')).EmbeddingCalls(this.link, this.caller),
  );

  get name(): string {
    return this.caller.app;
  }

  get slo(): Slo {
    return this.caller.slo;
  }

  setSlo = async (slo: Slo): Promise<void> => {
    unwrap(await this.link.host.setSlo(this.name, slo));
    this.caller.slo = slo;
  };

  /** Takes a new objective at once; if it is none, the next request tells. */
  adopt(slo: Slo): void {
    this.caller.slo = slo;
    this.setSlo(slo).catch(() => {});
  }
}
