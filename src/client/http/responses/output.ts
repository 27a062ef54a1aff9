/** A chat answer's chunks as a response, and as the events that tell of it. */
import type { ChatCompletionChunk, EngineStatus, Usage } from '../../../worker/protocol';
import type { Problem } from '../problem';
import type { ResponseSettings } from './request';
import type {
  FunctionCallItem,
  ItemStatus,
  Logprobs,
  MessageItem,
  OutputItem,
  OutputText,
  ReasoningItem,
  ResponseEvent,
  ResponseObject,
} from './types';

type Delta = ChatCompletionChunk['choices'][number]['delta'];
type CallDelta = NonNullable<Delta['tool_calls']>[number];

/**
 * One response as it comes to be. Every method returns the events that it causes, in order; items come
 * one after the other, each whole before the next begins.
 */
export class ResponseWriter {
  readonly response: ResponseObject;
  readonly #settings: ResponseSettings;
  readonly #digits: string;
  /** The item that is being written: the last one of the output. */
  #open: OutputItem | undefined;
  /** Which of the chat answer's calls it is. */
  #call = -1;
  /** Of tokens whose text has not come yet. */
  #logprobs: Logprobs = [];
  #cut = false;

  /** `id` is the chat request's; `engine` is what is likely to answer, which the answer then tells. */
  constructor(id: string, engine: EngineStatus | undefined, settings: ResponseSettings) {
    this.#settings = settings;
    this.#digits = id.replace(/^.*-/, '');
    this.response = {
      id: `resp_${this.#digits}`,
      object: 'response',
      created_at: now(),
      completed_at: null,
      status: 'in_progress',
      model: engine?.model ?? '',
      simulated: engine?.kind === 'simulated',
      output: [],
      error: null,
      incomplete_details: null,
      usage: null,
      store: false,
      background: false,
      previous_response_id: null,
      ...settings.echo,
    };
  }

  begin(): ResponseEvent[] {
    return [this.#told('response.created'), this.#told('response.in_progress')];
  }

  take({ choices, model, simulated }: ChatCompletionChunk): ResponseEvent[] {
    Object.assign(this.response, { model, simulated });
    const events: ResponseEvent[] = [];
    for (const { delta, logprobs, finish_reason: reason } of choices) {
      this.#logprobs.push(...(logprobs?.content ?? []));
      if (delta.reasoning_content) this.#think(delta.reasoning_content, events);
      if (delta.content) this.#say(delta.content, events);
      for (const call of delta.tool_calls ?? []) this.#doCall(call, events);
      if (reason === 'length') this.#cut = true;
    }
    return events;
  }

  /** The chat answer is complete. */
  end(usage: Usage): ResponseEvent[] {
    const events: ResponseEvent[] = [];
    const { output } = this.response;
    // An answer of nothing is an empty text.
    if (output.every(({ type }) => type === 'reasoning')) this.#say('', events);
    this.#close(events, this.#cut ? 'incomplete' : 'completed');
    const status = this.#cut ? 'incomplete' : 'completed';
    Object.assign(this.response, {
      status,
      completed_at: this.#cut ? null : now(),
      incomplete_details: this.#cut ? { reason: 'max_output_tokens' } : null,
      usage: {
        input_tokens: usage.prompt_tokens,
        input_tokens_details: { cached_tokens: usage.prompt_tokens_details.cached_tokens },
        output_tokens: usage.completion_tokens,
        output_tokens_details: {
          reasoning_tokens: usage.completion_tokens_details.reasoning_tokens,
        },
        total_tokens: usage.total_tokens,
        extra: usage.extra,
      },
    });
    events.push(this.#told(`response.${status}`));
    return events;
  }

  /** It broke off. */
  fail({ body }: Problem): ResponseEvent[] {
    const { code, message, param } = body.error;
    if (this.#open !== undefined) this.#open.status = 'incomplete';
    Object.assign(this.response, { status: 'failed', error: { code, message } });
    return [{ type: 'error', code, message, param }, this.#told('response.failed')];
  }

  #think(text: string, events: ResponseEvent[]): void {
    const { summary } = this.#settings;
    let item = this.#open;
    if (item?.type !== 'reasoning') {
      item = this.#add<ReasoningItem>(
        { id: this.#id('rs'), type: 'reasoning', status: 'in_progress', summary: [] },
        events,
      );
      if (summary) {
        item.summary.push({ type: 'summary_text', text: '' });
        const part = { type: 'summary_text', text: '' };
        events.push(this.#of('response.reasoning_summary_part.added', { summary_index: 0, part }));
      } else {
        item.content = [{ type: 'reasoning_text', text: '' }];
        const part = { type: 'reasoning_text', text: '' };
        events.push(this.#of('response.content_part.added', { content_index: 0, part }));
      }
    }
    this.#logprobs = []; // only those of the answer are told
    const part = summary ? item.summary[0] : item.content?.[0];
    if (part !== undefined) part.text += text;
    events.push(
      summary
        ? this.#of('response.reasoning_summary_text.delta', { summary_index: 0, delta: text })
        : this.#of('response.reasoning_text.delta', { content_index: 0, delta: text }),
    );
  }

  #say(text: string, events: ResponseEvent[]): void {
    let item = this.#open;
    if (item?.type !== 'message') {
      const part = { type: 'output_text' as const, text: '', annotations: [] as [], logprobs: [] };
      item = this.#add<MessageItem>(
        {
          id: this.#id('msg'),
          type: 'message',
          status: 'in_progress',
          role: 'assistant',
          content: [],
        },
        events,
      );
      item.content.push({ ...part, logprobs: [] });
      events.push(this.#of('response.content_part.added', { content_index: 0, part }));
    }
    const logprobs = this.#logprobs;
    this.#logprobs = [];
    const [part] = item.content;
    part.text += text;
    part.logprobs.push(...logprobs);
    if (text === '') return;
    events.push(
      this.#of('response.output_text.delta', { content_index: 0, delta: text, logprobs }),
    );
  }

  #doCall({ index, id, function: call }: CallDelta, events: ResponseEvent[]): void {
    let item = this.#open;
    if (item?.type !== 'function_call' || index !== this.#call) {
      this.#call = index;
      item = this.#add<FunctionCallItem>(
        {
          id: this.#id('fc'),
          type: 'function_call',
          status: 'in_progress',
          call_id: id ?? '',
          name: call?.name ?? '',
          arguments: '',
        },
        events,
      );
    }
    const delta = call?.arguments ?? '';
    if (delta === '') return;
    item.arguments += delta;
    events.push(this.#of('response.function_call_arguments.delta', { delta }));
  }

  #add<Item extends OutputItem>(item: Item, events: ResponseEvent[]): Item {
    this.#close(events, 'completed');
    this.#open = item;
    this.response.output.push(item);
    const index = this.response.output.length - 1;
    events.push({ type: 'response.output_item.added', output_index: index, item: copy(item) });
    return item;
  }

  #close(events: ResponseEvent[], status: ItemStatus): void {
    const item = this.#open;
    if (item === undefined) return;
    item.status = status;
    switch (item.type) {
      case 'message':
        this.#closeText(item.content[0], events);
        break;
      case 'reasoning':
        this.#closeReasoning(item, events);
        break;
      case 'function_call':
        events.push(
          this.#of('response.function_call_arguments.done', {
            name: item.name,
            arguments: item.arguments,
          }),
        );
    }
    const index = this.response.output.length - 1;
    events.push({ type: 'response.output_item.done', output_index: index, item: copy(item) });
    this.#open = undefined;
  }

  #closeText(part: OutputText, events: ResponseEvent[]): void {
    const { text, logprobs } = part;
    events.push(
      this.#of('response.output_text.done', { content_index: 0, text, logprobs: [...logprobs] }),
      this.#of('response.content_part.done', { content_index: 0, part: copy(part) }),
    );
  }

  #closeReasoning({ summary, content }: ReasoningItem, events: ResponseEvent[]): void {
    for (const part of summary) {
      events.push(
        this.#of('response.reasoning_summary_text.done', { summary_index: 0, text: part.text }),
        this.#of('response.reasoning_summary_part.done', { summary_index: 0, part: copy(part) }),
      );
    }
    for (const part of content ?? []) {
      events.push(
        this.#of('response.reasoning_text.done', { content_index: 0, text: part.text }),
        this.#of('response.content_part.done', { content_index: 0, part: copy(part) }),
      );
    }
  }

  /** An event of the open item. */
  #of(type: string, fields: object): ResponseEvent {
    const { output } = this.response;
    return { type, item_id: this.#open?.id, output_index: output.length - 1, ...fields };
  }

  /** An event of the whole response. */
  #told(type: string): ResponseEvent {
    return { type, response: copy(this.response) };
  }

  #id(prefix: string): string {
    return `${prefix}_${this.#digits}${this.response.output.length.toString(16).padStart(2, '0')}`;
  }
}

/** As it is now: it goes on to change. */
function copy<T>(value: T): T {
  return structuredClone(value);
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
