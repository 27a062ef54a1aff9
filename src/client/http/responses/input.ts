/** A response's `input` and `instructions` as chat messages. */
import { type Fields, isFields } from '../call';
import { Problem } from '../problem';

export interface Conversation {
  /** In the shape of chat; what they hold is for the server to check. */
  messages: Fields[];
  /** Where each message stood: `instructions`, `input`, `input[2]`. */
  places: string[];
}

/** Throws a problem that names what cannot be taken. `recall` finds items by their ids. */
export function conversationOf(
  input: unknown,
  instructions: unknown,
  recall: (id: string) => unknown,
): Conversation {
  const writer = new Writer(recall);
  if (instructions !== undefined && instructions !== null) {
    if (typeof instructions !== 'string') throw bad('instructions', 'must be a string');
    writer.add({ role: 'system', content: instructions }, 'instructions');
  }
  if (typeof input === 'string') {
    writer.add({ role: 'user', content: input }, 'input');
  } else if (Array.isArray(input)) {
    input.forEach((item: unknown, i) => {
      writer.item(item, `input[${i}]`);
    });
  } else {
    throw bad('input', 'must be a string or a list of items');
  }
  return writer;
}

class Writer implements Conversation {
  readonly messages: Fields[] = [];
  readonly places: string[] = [];
  readonly #recall: (id: string) => unknown;

  constructor(recall: (id: string) => unknown) {
    this.#recall = recall;
  }

  add(message: Fields, at: string): void {
    this.messages.push(message);
    this.places.push(at);
  }

  item(item: unknown, at: string): void {
    if (!isFields(item)) throw bad(at, 'must be an item');
    const { type = 'message' } = item;
    switch (type) {
      case 'message':
        this.#message(item, at);
        break;
      case 'function_call':
        this.#call(item, at);
        break;
      case 'function_call_output': {
        const content = contentOf(item.output, `${at}.output`);
        this.add({ role: 'tool', tool_call_id: item.call_id, content }, at);
        break;
      }
      case 'reasoning':
        break; // chat templates leave earlier reasoning out
      case 'item_reference':
        this.#reference(item, at);
        break;
      default:
        throw bad(
          `${at}.type`,
          `is "${type}", which cannot be read here; messages, function calls and their outputs can`,
        );
    }
  }

  #message({ role, content }: Fields, at: string): void {
    const said = contentOf(content, `${at}.content`);
    const last = this.messages.at(-1);
    if (role === 'assistant' && last?.tool_calls !== undefined) {
      last.content = [...partsOf(last.content), ...partsOf(said)]; // words after calls, in one answer
    } else {
      this.add({ role, content: said }, at);
    }
  }

  #call({ call_id: id, name, arguments: args }: Fields, at: string): void {
    const call = { id, type: 'function', function: { name, arguments: args } };
    const last = this.messages.at(-1);
    if (last?.role !== 'assistant') {
      this.add({ role: 'assistant', content: null, tool_calls: [call] }, at);
    } else if (Array.isArray(last.tool_calls)) {
      last.tool_calls.push(call);
    } else {
      last.tool_calls = [call];
    }
  }

  #reference({ id }: Fields, at: string): void {
    const item = typeof id === 'string' ? this.#recall(id) : undefined;
    if (item === undefined) {
      throw bad(
        `${at}.id`,
        `names an item that is not kept: "${id}". Items are kept in memory, while the page is open; send the item itself`,
      );
    }
    this.item(item, at);
  }
}

/** A text, or parts as chat has them. */
function contentOf(content: unknown, at: string): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part: unknown, i) => partOf(part, `${at}[${i}]`));
}

/** The same, as a list. */
function partsOf(content: unknown): unknown[] {
  if (Array.isArray(content)) return content;
  return typeof content === 'string' ? [{ type: 'text', text: content }] : [];
}

function partOf(part: unknown, at: string): Fields {
  if (!isFields(part)) throw bad(at, 'must be a part of a message');
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { type: 'text', text: part.text };
    case 'refusal':
      return { type: 'text', text: part.refusal };
    case 'input_image':
      if (typeof part.image_url !== 'string') {
        throw bad(`${at}.image_url`, 'must be a URL: no files are kept here');
      }
      return {
        type: 'image_url',
        image_url: { url: part.image_url, detail: part.detail ?? undefined },
      };
    default:
      throw bad(`${at}.type`, `is "${part.type}", which cannot be read here; text and images can`);
  }
}

function bad(param: string, sentence: string): Problem {
  return new Problem(400, 'invalid_request', `${param} ${sentence}.`, { param });
}
