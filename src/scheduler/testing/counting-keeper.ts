import type { TokenKeeper } from '../keeper';
import type { Request } from '../request';

/** For tests of the scheduler: requests whose tokens are counted, each as long as it may be. */
export const COUNTING_KEEPER: TokenKeeper = {
  sequence: ({ id, knownTokens, promptTokens }: Request) => ({
    id,
    tokens: { length: knownTokens },
    promptTokens,
    sampling: { temperature: 0, topP: 1, seed: 0 },
  }),
  token: ({ generated, maxTokens }: Request) => (generated >= maxTokens ? 'length' : null),
  failed: () => {},
};
