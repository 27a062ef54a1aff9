/// <reference types="dom-chromium-ai" />
/**
 * A type check (it never runs): what Chrome's types describe is what we give, and what may be given to
 * Chrome's API may be given to ours.
 */
import {
  createLanguageModel,
  type LanguageModelCreateOptions as OurCreateOptions,
  type LanguageModelPrompt as OurPrompt,
  type LanguageModelPromptOptions as OurPromptOptions,
  type LanguageModel as Ours,
  type LanguageModelTool as OurTool,
} from '../../src/prompt-api';

export const Model: typeof LanguageModel = createLanguageModel({ engine: 'simulated' });

export const session = (ours: Ours): LanguageModel => ours;
export const createOptions = (theirs: LanguageModelCreateOptions): OurCreateOptions => theirs;
export const prompt = (theirs: LanguageModelPrompt): OurPrompt => theirs;
export const promptOptions = (theirs: LanguageModelPromptOptions): OurPromptOptions => theirs;
export const tool = (theirs: LanguageModelTool): OurTool => theirs;

// @ts-expect-error the constructor is not for pages
export const constructed = () => new Model();

export async function aPage(): Promise<void> {
  const made = await Model.create({
    initialPrompts: [{ role: 'system', content: 'Be brief.' }],
    monitor(monitor) {
      monitor.addEventListener('downloadprogress', ({ loaded }) => loaded);
    },
  });
  made.oncontextoverflow = () => made.contextUsage;
  for await (const chunk of made.promptStreaming([
    { role: 'user', content: [{ type: 'text', value: 'A haiku' }] },
    { role: 'assistant', content: 'Leaves', prefix: true },
  ])) {
    chunk.length;
  }
}
