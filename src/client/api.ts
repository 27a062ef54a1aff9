import type {
  ChatCompletion,
  ChatCompletionParams,
  TextCompletion,
  TextCompletionParams,
} from '../worker/protocol';
import { crossing } from './crossing';
import type { Link } from './link';
import { type Caller, request } from './request';
import type {
  ChatCompletionStream,
  Completions,
  Fetch,
  RequestOptions,
  TempoApi,
  TextCompletionStream,
  TextCompletions,
} from './types';

/**
 * What an app or a program offers its callers. What is loaded only when it is called is handed what it
 * needs of the client: were it to import that, the client would be two files.
 */
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

  readonly completions = {
    create: (async (
      given: TextCompletionParams,
      options?: RequestOptions | null,
    ): Promise<TextCompletionStream | TextCompletion> => {
      const { textOf } = await import('./text-completions');
      const params = await crossing(given);
      const wish = { kind: 'text' as const, params };
      const stream = textOf(await request(this.link, this.caller, wish, options));
      return params.stream ? stream : stream.final();
    }) as TextCompletions['create'],
  };

  readonly fetch: Fetch = async (input, init) =>
    (await import('./http')).answer(this, request, input, init);
}
