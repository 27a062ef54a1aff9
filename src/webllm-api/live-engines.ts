import type { Tempo } from '../client';
import type { AppConfig } from './config-types';

/** An engine that has a Tempo, which can be asked about models. */
export interface LiveEngine {
  readonly tempo: Tempo | undefined;
  readonly appConfig: AppConfig;
}

const LIVE = new Set<LiveEngine>();

export const attach = (engine: LiveEngine): void => void LIVE.add(engine);
export const detach = (engine: LiveEngine): void => void LIVE.delete(engine);
