import type { Link } from '../../link';
import type { OutputItem } from './types';

/** Characters of JSON that are kept: as much as a hundred long answers. */
const ROOM = 4_000_000;

/**
 * The latest output items, for `item_reference`: some clients (the AI SDK's OpenAI provider) send back
 * what they were given by its id alone. In this page's memory, and no longer than there is room.
 */
export class ItemMemory {
  readonly #items = new Map<string, string>();
  #used = 0;

  remember(items: readonly OutputItem[]): void {
    for (const item of items) {
      const text = JSON.stringify(item);
      this.#items.set(item.id, text);
      this.#used += text.length;
    }
    for (const [id, text] of this.#items) {
      if (this.#used <= ROOM) return;
      this.#items.delete(id);
      this.#used -= text.length;
    }
  }

  recall(id: string): unknown {
    const text = this.#items.get(id);
    return text === undefined ? undefined : JSON.parse(text);
  }
}

const MEMORIES = new WeakMap<Link, ItemMemory>();

/** Each Tempo has one. */
export function memoryOf(link: Link): ItemMemory {
  const memory = MEMORIES.get(link) ?? new ItemMemory();
  MEMORIES.set(link, memory);
  return memory;
}
