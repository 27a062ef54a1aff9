/** A page on which the clients that people use run as they are, on a Tempo instead of a server. */
import { aiSdk } from './ai-sdk';
import type { Checks } from './check';
import { langchain } from './langchain';
import { openaiChat } from './openai-chat';
import { openaiResponses } from './openai-responses';

const CLIENTS: Record<string, Checks> = {
  openai: openaiChat,
  'openai responses': openaiResponses,
  ai: aiSdk,
  langchain,
};

const checks = Object.fromEntries(
  Object.entries(CLIENTS).flatMap(([client, own]) =>
    Object.entries(own).map(([name, run]) => [`${client}: ${name}`, run] as const),
  ),
);

declare global {
  /** For the script that runs them. */
  var clientChecks: { names: string[]; run(name: string): Promise<void> };
}

globalThis.clientChecks = {
  names: Object.keys(checks),
  run: (name) => checks[name](),
};
