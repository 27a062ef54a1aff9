import type { LoadConfig, Models, Tempo } from '../client';

type AppConfig = NonNullable<LoadConfig['appConfig']>;
type ModelRecord = AppConfig['model_list'][number];

/** Tempos of the page's engines, and the lists that they loaded with. */
const LIVE = new Map<Tempo, AppConfig>();

/** A Tempo can be asked about the models of this list. */
export function attach(tempo: Tempo, appConfig: AppConfig): void {
  LIVE.set(tempo, appConfig);
}

export function detach(tempo: Tempo): void {
  LIVE.delete(tempo);
}

/** Of a running engine, if there is one that keeps this model where `appConfig` says. */
export function liveModels(record: ModelRecord, appConfig: AppConfig): Models | undefined {
  for (const [tempo, own] of LIVE) {
    const same = own.model_list.some(
      (other) =>
        other.model_id === record.model_id &&
        other.model === record.model &&
        other.model_lib === record.model_lib,
    );
    if (same && backendOf(own) === backendOf(appConfig)) return tempo.models;
  }
  return undefined;
}

const backendOf = ({ cacheBackend = 'cache' }: AppConfig) => cacheBackend;
