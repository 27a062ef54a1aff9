import type { ChatCompletion, ChatCompletionParams } from '../worker/protocol';
import { crossing } from './crossing';
import { lazy } from './lazy';
import type { Link } from './link';
import { type Caller, request } from './request';
import type {
  ChatCompletionStream,
  Completions,
  Fetch,
  RequestOptions,
  TempoApi,
  TextCompletions,
} from './types';

/** What an app or a program offers its callers. */
export class Api implements TempoApi {
  readonly link: Link;
  readonly caller: Caller;
  /** The app of a name, for requests that name another than their own. */
  readonly app: (name: string) => Api;

  constructor(link: Link, caller: Caller, app: (name: string) => Api) {
    this.link = link;
    this.caller = caller;
    this.app = app;
  }

  readonly chat = {
    completions: {
      create: (async (
        given: ChatCompletionParams,
        options?: RequestOptions | null,
      ): Promise<ChatCompletionStream | ChatCompletion> => {
        const params = await crossing(given);
        const stream = await request(this.link, this.caller, { params }, options);
        return params.stream ? stream : stream.final();
      }) as Completions['create'],
    },
  };

  readonly completions: TextCompletions = lazy(
    async () => new (await import('./text-completions')).TextCompletionCalls(this),
  );

  readonly fetch: Fetch = async (input, init) => (await import('./http')).answer(this, input, init);
}
