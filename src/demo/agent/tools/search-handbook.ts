import MiniSearch from 'minisearch';
import { HANDBOOK, type HandbookPage } from '../documents';
import type { AgentTool } from './tool';

let index: MiniSearch<HandbookPage> | undefined;

function handbook(): MiniSearch<HandbookPage> {
  if (index === undefined) {
    index = new MiniSearch<HandbookPage>({
      fields: ['title', 'text'],
      storeFields: ['title', 'text'],
      searchOptions: { boost: { title: 2 }, prefix: true, fuzzy: 0.2 },
    });
    index.addAll(HANDBOOK);
  }
  return index;
}

export const searchHandbook: AgentTool = {
  name: 'search_handbook',
  description: 'Searches the handbook of Skerry Station and returns the best pages.',
  parameters: {
    type: 'object',
    properties: {
      query: { type: 'string', minLength: 2 },
      limit: { type: 'integer', minimum: 1, maximum: 3 },
    },
    required: ['query'],
    additionalProperties: false,
  },
  async run({ query, limit }) {
    return handbook()
      .search(String(query))
      .slice(0, Number(limit ?? 1))
      .map(({ title, text }) => ({ title: String(title), text: String(text) }));
  },
};
