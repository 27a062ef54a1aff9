import type { Span } from '../../engine/text/written-tokens';
import type { ToolCall } from '../chat-types';
import type { AnswerParser, ParsedText } from './tool-call-parser';
import type { ToolFormat } from './tool-format';
import type { Callable } from './tool-grammar';

/**
 * An answer that is either calls or content as a whole (tools beside a `response_format`): how it begins
 * decides. Content may then hold what looks like a call, as JSON does in Llama's format.
 */
export class CallsOrContent implements AnswerParser {
  readonly #calls: AnswerParser;
  /** How a call of each tool begins. */
  readonly #beginnings: readonly string[];
  #state: 'open' | 'calls' | 'content' = 'open';
  #held = '';
  #length = 0;

  constructor(calls: AnswerParser, { call }: ToolFormat, tools: readonly Callable[]) {
    this.#calls = calls;
    this.#beginnings = tools.map(({ name }) => call.begin + name + call.middle);
  }

  get toolCalls(): readonly ToolCall[] {
    return this.#calls.toolCalls;
  }

  get spoken(): readonly Span[] {
    if (this.#state === 'calls') return this.#calls.spoken;
    return [[0, this.#length]];
  }

  push(text: string): ParsedText {
    this.#held += text;
    if (this.#state === 'open') this.#state = this.#decide(this.#held.trimStart());
    if (this.#state === 'open') return { content: '', toolCalls: [] };
    const held = this.#held;
    this.#held = '';
    return this.#state === 'calls' ? this.#calls.push(held) : this.#say(held);
  }

  finish(): ParsedText {
    if (this.#state === 'calls') return this.#calls.finish();
    return this.#say(this.#held);
  }

  #say(content: string): ParsedText {
    this.#length += content.length;
    return { content, toolCalls: [] };
  }

  #decide(start: string): 'open' | 'calls' | 'content' {
    if (this.#beginnings.some((beginning) => start.startsWith(beginning))) return 'calls';
    return this.#beginnings.some((beginning) => beginning.startsWith(start)) ? 'open' : 'content';
  }
}
