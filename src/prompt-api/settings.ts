import { readApp, readSlo } from './create-options';
import { dictionary } from './idl';
import type { SessionOptions } from './session';
import type { LanguageModelSettings } from './types';

/** What sessions are made with where they do not say. */
export type SessionDefaults = Pick<SessionOptions, 'app' | 'slo' | 'simulate'>;

const FIELDS = ['slo', 'app', 'simulate'];
const DEFAULT_APP = 'language-model';

/** Throws a TypeError for what is no setting, with its name. */
export function readSettings(settings: LanguageModelSettings | null | undefined): SessionDefaults {
  const unknown = Object.keys(dictionary(settings, 'The settings')).find(
    (name) => !FIELDS.includes(name),
  );
  if (unknown !== undefined) {
    throw new TypeError(`There is no setting "${unknown}". There are ${FIELDS.join(', ')}.`);
  }
  const { slo, app, simulate } = settings ?? {};
  if (simulate !== undefined && simulate !== null && typeof simulate !== 'function') {
    throw new TypeError('simulate must be a function.');
  }
  return {
    app: readApp(app) ?? DEFAULT_APP,
    slo: readSlo(slo),
    simulate: simulate ?? undefined,
  };
}
