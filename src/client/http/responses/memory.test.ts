import { describe, expect, it } from 'vitest';
import { ItemMemory } from './memory';
import type { MessageItem } from './types';

function message(id: string, text: string): MessageItem {
  const content = [{ type: 'output_text' as const, text, annotations: [] as [], logprobs: [] }];
  return { id, type: 'message', status: 'completed', role: 'assistant', content };
}

describe('the memory of items', () => {
  it('gives an item back as it was', () => {
    const memory = new ItemMemory();
    const item = message('msg_1', 'Hello');
    memory.remember([item]);
    item.content[0].text = 'Goodbye';
    expect(memory.recall('msg_1')).toEqual(message('msg_1', 'Hello'));
    expect(memory.recall('msg_2')).toBeUndefined();
  });

  it('has no more room than for a few million characters: the oldest go first', () => {
    const memory = new ItemMemory();
    const page = 'x'.repeat(1_000_000);
    for (const id of ['a', 'b', 'c', 'd', 'e']) memory.remember([message(id, page)]);
    const kept = ['a', 'b', 'c', 'd', 'e'].filter((id) => memory.recall(id) !== undefined);
    expect(kept).toEqual(['c', 'd', 'e']);
  });
});
