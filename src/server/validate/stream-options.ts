import { flag, ignored, object } from './fields';

/** The same for every kind of completion. */
export const streamOptions = object({
  include_usage: flag,
  include_obfuscation: ignored('nothing goes over a network', (value) => value === false),
});
