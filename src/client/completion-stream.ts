import {
  type ChatCompletion,
  type ChatCompletionChunk,
  type Receipt,
  type RequestEvent,
  TempoError,
  type Usage,
} from '../worker/protocol';
import { invalid } from './checked';
import type { ChatCompletionStream } from './types';

export interface CompletionStreamOptions {
  id: string;
  choices: number;
  /** A last chunk with no choices brings the usage. */
  includeUsage: boolean;
  /** Tells the server that nobody waits for the rest. */
  abort: () => void;
}

/** What was said in this page's console. */
const said = new Set<string>();

/** Says in the console what is ignored, once a page. */
function warnOnce(warning: string): void {
  if (!said.has(warning)) console.warn(`Tempo: ${warning}`);
  said.add(warning);
}

/** One request's events on their way to its caller, as OpenAI's chunks. Read once. */
export class CompletionStream implements ChatCompletionStream {
  readonly id: string;
  readonly #created = Math.floor(Date.now() / 1000);
  readonly #includeUsage: boolean;
  readonly #abort: () => void;
  /** Choices that have not finished. */
  readonly #unfinished: Set<number>;
  /** All that have come, read or not. */
  readonly #chunks: ChatCompletionChunk[] = [];
  #end = () => {};
  /** Resolves when nothing more will come, however it ended. */
  readonly ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });
  #over = false;
  #read = false;
  error: TempoError | undefined;
  #notify = () => {};
  /** Events that overtook the receipt: they come through a port of their own. */
  #early: RequestEvent[] | undefined = [];
  #model = '';
  #simulated = false;
  estimatedWaitMs = 0;
  /** Known once the answer is complete. */
  usage: Usage | undefined;

  constructor({ id, choices, includeUsage, abort }: CompletionStreamOptions) {
    this.id = id;
    this.#includeUsage = includeUsage;
    this.#abort = abort;
    this.#unfinished = new Set(Array.from({ length: choices }, (_, index) => index));
  }

  /** More may come. */
  get open(): boolean {
    return !this.#over;
  }

  /** Stops the request. Iteration ends with what was received and a finish_reason of `abort`. */
  abort = (): void => {
    if (this.#over) return;
    this.#abort();
    for (const index of this.#unfinished) {
      this.#push([{ index, delta: {}, logprobs: null, finish_reason: 'abort' }]);
    }
    this.#close();
  };

  /** The server has queued the request. */
  accepted({ estimatedWaitMs, model, simulated, warnings }: Receipt): void {
    for (const warning of warnings) warnOnce(warning);
    this.estimatedWaitMs = estimatedWaitMs;
    this.#model = model;
    this.#simulated = simulated;
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) this.take(event);
  }

  take(event: RequestEvent): void {
    if (this.#over) return;
    if (this.#early) {
      this.#early.push(event);
      return;
    }
    switch (event.type) {
      case 'wait':
        this.estimatedWaitMs = event.estimatedWaitMs;
        return;
      case 'delta': {
        const { choice: index, delta, logprobs = null, finishReason = null } = event;
        this.estimatedWaitMs = 0;
        if (finishReason !== null) this.#unfinished.delete(index);
        this.#push([{ index, delta, logprobs, finish_reason: finishReason }]);
        return;
      }
      case 'done':
        this.usage = event.usage;
        if (this.#includeUsage) this.#push([], event.usage);
        this.#close();
        return;
      case 'error':
        this.fail(TempoError.fromJSON(event.error));
    }
  }

  /** Needs no reader: it resolves when the last chunk has come, read or not. */
  final = async (): Promise<ChatCompletion> => {
    const [{ assemble }] = await Promise.all([import('./assemble'), this.ended]);
    if (this.error) throw this.error;
    return assemble(this.#chunks, this.#header(), this.usage);
  };

  /** Ends badly: the caller gets what was received before, then the error. */
  fail(error: TempoError): void {
    if (this.#over) return;
    this.error = error;
    this.#close();
  }

  /** Throws `invalid_request` where another reads it already: two would each get half of the text. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    if (this.#read) {
      throw invalid('The stream is already consumed. Use final() for the whole answer.');
    }
    this.#read = true;
    let next = 0;
    try {
      while (true) {
        while (next < this.#chunks.length) yield this.#chunks[next++];
        if (this.error) throw this.error;
        if (this.#over) return;
        await new Promise<void>((resolve) => {
          this.#notify = resolve;
        });
      }
    } finally {
      this.abort(); // a `break`; after the end it does nothing
    }
  }

  #push(choices: ChatCompletionChunk['choices'], usage?: Usage): void {
    this.#chunks.push({
      ...this.#header(),
      object: 'chat.completion.chunk',
      choices,
      ...(usage === undefined ? {} : { usage }),
    });
    this.#notify();
  }

  #header() {
    return {
      id: this.id,
      created: this.#created,
      model: this.#model,
      simulated: this.#simulated,
    };
  }

  #close(): void {
    this.#over = true;
    this.#notify();
    this.#end();
  }
}
