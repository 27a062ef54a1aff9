import { overlap } from '../../engine/text';
import type { Span } from '../../engine/text/written-tokens';
import type { ChoiceDelta, ToolCall } from '../chat-types';
import { JsonEnd } from './json-end';
import type { ToolFormat } from './tool-format';

type ToolCallDelta = NonNullable<ChoiceDelta['tool_calls']>[number];

/** What a piece of an answer's text comes to. Either may be empty. */
export interface ParsedText {
  content: string;
  toolCalls: ToolCallDelta[];
}

/** Finds tool calls in an answer as it streams. */
export interface AnswerParser {
  /** The calls so far; the last one may be unfinished. */
  readonly toolCalls: readonly ToolCall[];
  /** Which stretches of the whole text were content, so far. */
  readonly spoken: readonly Span[];
  push(text: string): ParsedText;
  /** The end: what was held back. */
  finish(): ParsedText;
}

/** A name that goes on for longer is none. */
const MAX_NAME = 64;

/**
 * Finds tool calls in an answer as it streams: words pass through, a call's name comes at once, its
 * arguments piece by piece. White space between words and calls belongs to neither. Where the
 * answer ends in the middle of a call (max_tokens), its arguments are what there was of them, as in
 * the OpenAI API.
 */
export class ToolCallParser implements AnswerParser {
  readonly #format: ToolFormat | undefined;
  readonly #newId: () => string;
  readonly #calls: ToolCall[] = [];
  #state: 'words' | 'name' | 'arguments' | 'end' | 'gap' = 'words';
  #held = '';
  /** Where what is held begins in the whole text. */
  #at = 0;
  readonly #spoken: [start: number, end: number][] = [];
  #json = new JsonEnd();

  /** Without a format there are no calls, and everything is words. */
  constructor(format: ToolFormat | undefined, newId: () => string = newCallId) {
    this.#format = format;
    this.#newId = newId;
  }

  /** The calls so far; the last one may be unfinished. */
  get toolCalls(): readonly ToolCall[] {
    return this.#calls;
  }

  get spoken(): readonly Span[] {
    return this.#spoken;
  }

  push(text: string): ParsedText {
    if (this.#format === undefined) {
      this.#say(this.#at, text);
      this.#at += text.length;
      return { content: text, toolCalls: [] };
    }
    const out: ParsedText = { content: '', toolCalls: [] };
    this.#held += text;
    let moved = true;
    while (moved && this.#held !== '') moved = this.#step(this.#format, out);
    return out;
  }

  /** The end: what was held back is words after all, unless it belongs to a call. */
  finish(): ParsedText {
    const held = this.#state === 'words' ? this.#say(this.#at, this.#held) : '';
    this.#held = '';
    return { content: held, toolCalls: [] };
  }

  /** The words, which stand at `at`. */
  #say(at: number, words: string): string {
    const last = this.#spoken.at(-1);
    if (last?.[1] === at) last[1] += words.length;
    else if (words !== '') this.#spoken.push([at, at + words.length]);
    return words;
  }

  /** Lets go of the first characters of what is held. */
  #drop(count: number): void {
    this.#at += count;
    this.#held = this.#held.slice(count);
  }

  /** Takes what it can off the held text; true where the rest is to be looked at again. */
  #step(format: ToolFormat, out: ParsedText): boolean {
    switch (this.#state) {
      case 'words':
        return this.#words(format, out);
      case 'name':
        return this.#name(format, out);
      case 'arguments':
        return this.#arguments(out);
      case 'end':
        return this.#end(format);
      case 'gap':
        return this.#gap(format);
    }
  }

  #words({ call }: ToolFormat, out: ParsedText): boolean {
    const start = this.#held.indexOf(call.begin);
    if (start >= 0) {
      out.content += this.#say(this.#at, this.#held.slice(0, start).trimEnd());
      this.#drop(start + call.begin.length);
      this.#state = 'name';
      return true;
    }
    const sure = this.#held.slice(0, this.#held.length - overlap(this.#held, call.begin)).trimEnd();
    out.content += this.#say(this.#at, sure);
    this.#drop(sure.length);
    return false;
  }

  #name({ call }: ToolFormat, out: ParsedText): boolean {
    const end = this.#held.indexOf(call.middle);
    if (end < 0 && this.#held.length <= MAX_NAME + call.middle.length) return false;
    if (end < 0 || end > MAX_NAME) {
      out.content += this.#say(this.#at - call.begin.length, call.begin);
      this.#state = 'words';
      return true;
    }
    const name = this.#held.slice(0, end);
    const id = this.#newId();
    out.toolCalls.push({
      index: this.#calls.length,
      id,
      type: 'function',
      function: { name, arguments: '' },
    });
    this.#calls.push({ id, type: 'function', function: { name, arguments: '' } });
    this.#drop(end + call.middle.length);
    this.#json = new JsonEnd();
    this.#state = 'arguments';
    return true;
  }

  #arguments(out: ParsedText): boolean {
    const end = this.#json.scan(this.#held);
    const piece = end < 0 ? this.#held : this.#held.slice(0, end);
    const index = this.#calls.length - 1;
    this.#calls[index].function.arguments += piece;
    out.toolCalls.push({ index, function: { arguments: piece } });
    this.#drop(piece.length);
    if (end >= 0) this.#state = 'end';
    return true;
  }

  #end({ call }: ToolFormat): boolean {
    if (this.#held.length < call.end.length && call.end.startsWith(this.#held)) return false;
    if (this.#held.startsWith(call.end)) this.#drop(call.end.length);
    this.#state = 'gap';
    return true;
  }

  /** After a call: white space, and what marks calls off from one another. */
  #gap({ separator }: ToolFormat): boolean {
    const mark = separator.trim();
    this.#skipSpace();
    if (this.#held.length < mark.length && mark.startsWith(this.#held)) return false;
    while (mark !== '' && this.#held.startsWith(mark)) {
      this.#drop(mark.length);
      this.#skipSpace();
    }
    if (this.#held !== '') this.#state = 'words';
    return true;
  }

  #skipSpace(): void {
    this.#drop(this.#held.length - this.#held.trimStart().length);
  }
}

function newCallId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `call_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
