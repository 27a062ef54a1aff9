/** A page on which the clients that people use run as they are, on a Tempo instead of a server. */
import { aiSdk } from './ai-sdk';
import type { Checks } from './check';
import { langchain } from './langchain';
import { openaiChat } from './openai-chat';
import { openaiResponses } from './openai-responses';

/** Longest that one check may take, ms. */
const LIMIT_MS = 60_000;

const CLIENTS: Record<string, Checks> = {
  openai: openaiChat,
  'openai responses': openaiResponses,
  ai: aiSdk,
  langchain,
};

declare global {
  /** For the test that opened this page: what was wrong, a sentence each. */
  var trouble: Promise<string[]>;
}

async function runAll(): Promise<string[]> {
  const trouble: string[] = [];
  for (const [client, checks] of Object.entries(CLIENTS)) {
    for (const [name, run] of Object.entries(checks)) {
      try {
        await Promise.race([run(), late()]);
      } catch (error) {
        trouble.push(`${client}: ${name}: ${error instanceof Error ? error.stack : error}`);
      }
    }
  }
  return trouble;
}

function late(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('no end')), LIMIT_MS));
}

globalThis.trouble = runAll();
