import type { Slo } from '../../client';

/** The three features of the page that share the model, in the order they are shown everywhere. */
export const APP_NAMES = ['chat', 'agent', 'summarizer'] as const;

export type AppName = (typeof APP_NAMES)[number];

export const APP_LABELS: Record<AppName, string> = {
  chat: 'Chat',
  agent: 'Agent',
  summarizer: 'Summarizer',
};

/** What each app asks for until the reader changes it. An agent's program has `ttlt` as its deadline. */
export const DEFAULT_SLOS = {
  chat: { class: 'latency', ttft: 800, tbt: 80 },
  agent: { class: 'deadline', ttlt: 15_000 },
  summarizer: { class: 'best-effort' },
} as const satisfies Record<AppName, Slo>;

export function isAppName(name: string): name is AppName {
  return APP_NAMES.some((known) => known === name);
}
