import { useAgent } from '../agent/agent-store';
import { SCENARIOS } from '../agent/scenarios';
import { QUESTIONS, replyTo } from '../chat/chat-script';
import { useChat } from '../chat/chat-store';
import { useLive } from './live';
import { pause } from './pause';
import { useSettings } from './settings';

/** Questions after which the visitor starts a new conversation, so that prompts stay short. */
const CONVERSATION = QUESTIONS.length;
/** How long a visitor reads before going on, ms. */
const READING_MS = 900;

/**
 * Scripted visitors: one talks to the chat, one gives the agent tasks, for as long as the switch is
 * on. The summarizer's share is in its own store.
 */
export function startTraffic(): void {
  let stop: AbortController | undefined;
  const follow = () => {
    const on = useSettings.getState().demoTraffic;
    if (on && stop === undefined) {
      stop = new AbortController();
      void visitChat(stop.signal);
      void visitAgent(stop.signal);
    } else if (!on && stop !== undefined) {
      stop.abort();
      stop = undefined;
      useChat.getState().stop('demo');
      useAgent.getState().stop('demo');
    }
  };
  useSettings.subscribe(follow);
  follow();
}

async function visitChat(signal: AbortSignal): Promise<void> {
  const { send, clear } = useChat.getState();
  for (let turn = 0; await canGoOn(signal); turn++) {
    if (turn % CONVERSATION === 0) clear('demo');
    const question = QUESTIONS[turn % QUESTIONS.length];
    await send('demo', question, replyTo(question));
    await pause(READING_MS, signal);
  }
}

async function visitAgent(signal: AbortSignal): Promise<void> {
  for (let turn = 0; await canGoOn(signal); turn++) {
    await useAgent.getState().run('demo', SCENARIOS[turn % SCENARIOS.length].task);
    await pause(READING_MS, signal);
  }
}

/** Waits for the engine; false when the visitor is to leave. */
async function canGoOn(signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted && useLive.getState().state.phase !== 'ready') await pause(100, signal);
  return !signal.aborted;
}
